"""A team is asked through the gateway: whole answers, and who gave them."""

from pathlib import Path

import pytest

from harness.errors import GatewayError, WrongInput
from harness.runs.folder import RunFolder
from tests.integration.conftest import Stack
from tests.support.harness_runs import command, promptset, said


@pytest.fixture
def basics(tmp_path: Path) -> list[str]:
    return [
        *("--promptset", str(promptset(tmp_path / "set"))),
        *("--plan", str(said([], tmp_path / "plan.toml"))),
        *("--output", str(tmp_path / "runs"), "--no-report"),
    ]


def test_a_run_of_a_team_tells_which_variant_answered(
    shipped: Stack, basics: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", shipped.key("invoke", teams=("quant",)))

    code = command("run", "--url", shipped.gateway.url, "--team", "quant", *basics)

    (path,) = (tmp_path / "runs").iterdir()
    summary = RunFolder(path).summary
    assert summary is not None
    (arm,) = summary.arms
    assert code == 1  # the stand-in knows no right answer
    assert arm.errors == {}
    assert arm.variants == {"awq": 20}
    assert arm.targets == {"sagemaker:quant-endpoint": 20}
    assert (arm.ttft, arm.completion_tokens is not None) == (None, True)


def test_one_variant_can_be_asked(
    shipped: Stack, basics: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", shipped.key("invoke", "pin", teams=("finetune",)))
    whom = ["--url", shipped.gateway.url, "--team", "finetune/lora-v2"]

    command("run", *whom, *basics)

    (path,) = (tmp_path / "runs").iterdir()
    assert {record.variant for record in RunFolder(path).records()} == {"lora-v2"}


def test_a_team_that_the_key_may_not_ask(
    shipped: Stack, basics: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", shipped.key("invoke", teams=("quant",)))

    with pytest.raises(WrongInput, match="no model 'finetune', or the key may not ask for it"):
        command("run", "--url", shipped.gateway.url, "--team", "finetune", *basics)

    assert not (tmp_path / "runs").exists()


def test_a_key_that_the_gateway_refuses(
    shipped: Stack, basics: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", "llmo_0_0")

    with pytest.raises(GatewayError, match="refuses the key"):
        command("run", "--url", shipped.gateway.url, "--team", "quant", *basics)
