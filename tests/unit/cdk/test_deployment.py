"""What a synth is given: a stage, a fleet that fits, endpoints, and routes that end in time."""

from pathlib import Path

import pytest

from cdk.deployment import GATEWAY_TOML, Deployment, Sources
from cdk.errors import CdkError, WrongInput
from cdk.stages import STAGES_TOML
from gpu_fleet.engines import ENGINES_TOML
from gpu_fleet.errors import ConfigError, FleetError
from sagemaker_models.endpoints import ENDPOINTS_TOML, EndpointsError


def altered(folder: Path, original: Path, pattern: str, replacement: str) -> Path:
    text = original.read_text()
    assert pattern in text
    path = folder / original.name
    path.write_text(text.replace(pattern, replacement, 1))
    return path


def message(sources: Sources, stage: str = "dev") -> str:
    with pytest.raises((CdkError, FleetError, EndpointsError)) as told:
        Deployment.read(stage, sources=sources)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_what_is_shipped_can_be_deployed(stage: str) -> None:
    deployment = Deployment.read(stage)
    assert deployment.stage.name == stage
    assert set(deployment.fleet.engines) >= {"mistral-7b-awq", "mistral-7b-fp16"}
    assert set(deployment.endpoints) == {"quant-endpoint", "finetune-endpoint", "eval-endpoint"}


def test_team_endpoints_run_where_the_stage_says_so_and_not_while_paused() -> None:
    assert not Deployment.read("dev").sagemaker
    assert Deployment.read("staging").sagemaker
    assert not Deployment.read("staging", without_endpoints=True).sagemaker
    assert not Deployment.read("staging", paused=True).sagemaker


def test_an_engine_that_does_not_fit_is_refused_with_the_numbers(tmp_path: Path) -> None:
    engines = altered(
        tmp_path,
        ENGINES_TOML,
        'instance_types = ["g6.xlarge", "g5.xlarge", "g6.2xlarge", "g5.2xlarge", "g6e.xlarge"]',
        'instance_types = ["g6.xlarge", "g4dn.xlarge"]',
    )
    with pytest.raises(WrongInput) as told:
        Deployment.read("dev", sources=Sources(engines=engines))
    assert str(told.value) == (
        "engines.toml: engines.mistral-7b-fp16.instance_types: it does not fit g4dn.xlarge: "
        "14.72 GiB of 13.10 are taken before the KV cache, which needs 4096 tokens and gets 0 "
        "(see: make plan)"
    )


def test_a_fifth_engine_is_one_entry_where_there_is_a_gpu_for_it(tmp_path: Path) -> None:
    text = ENGINES_TOML.read_text()
    entry = text[text.index("[engines.mistral-7b-awq]") : text.index("[engines.mistral-7b-fp16]")]
    engines = tmp_path / "engines.toml"
    engines.write_text(text + "\n" + entry.replace("mistral-7b-awq", "mistral-7b-next"))
    fleet = Deployment.read("prod", sources=Sources(engines=engines)).fleet
    assert list(fleet.engines)[-1] == "mistral-7b-next"
    assert len(fleet.engines) == 5
    assert message(Sources(engines=engines)) == (
        "stages.toml: stages.dev.gpu.limit: is 4; the engines want at least 5: mistral-7b-awq 1, "
        "mistral-7b-fp16 1, mistral-7b-lora 1, mistral-7b-judge 1, mistral-7b-next 1"
    )


@pytest.mark.parametrize(
    ("pattern", "replacement", "told"),
    [
        (
            "timeout_s = 60",
            "timeout_s = 66",
            "gateway.toml: teams.finetune.timeout_s: is 66; at most 65, stages.dev.integration_",
        ),
        (
            "timeout_s = 60",
            'timeout_s = "60 s"',
            "gateway.toml: teams.finetune.timeout_s: must be a number of seconds",
        ),
        (
            "timeout_s = 60\n",
            "",
            "gateway.toml: teams.finetune.timeout_s: must be a number of seconds",
        ),
        (
            "timeout_s = 60",
            "timeout_s = true",
            "gateway.toml: teams.finetune.timeout_s: must be a number of seconds",
        ),
        ("[breaker]", "teams = 3\n[breaker]", "/gateway.toml: file: is not TOML: "),
        ("[breaker]", "[breaker", "/gateway.toml: file: is not TOML: "),
    ],
)
def test_no_route_may_take_longer_than_api_gateway_waits(
    tmp_path: Path, pattern: str, replacement: str, told: str
) -> None:
    gateway = altered(tmp_path, GATEWAY_TOML, pattern, replacement)
    assert told in message(Sources(gateway=gateway))


def test_a_gateway_without_teams_is_refused(tmp_path: Path) -> None:
    gateway = tmp_path / "gateway.toml"
    gateway.write_text("[breaker]\nwindow_s = 30\n")
    assert message(Sources(gateway=gateway)) == "gateway.toml: teams: must be a table of tables"


def test_without_a_raised_quota_long_routes_are_refused(tmp_path: Path) -> None:
    stages = altered(
        tmp_path, STAGES_TOML, "integration_timeout_s = 65", "integration_timeout_s = 29"
    )
    assert message(Sources(stages=stages)) == (
        "gateway.toml: teams.quant.timeout_s: is 30; at most 29, stages.dev.integration_timeout_s"
    )


def test_an_endpoint_of_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    endpoints = altered(
        tmp_path, ENDPOINTS_TOML, 'engine = "mistral-7b-awq"', 'engine = "mistral-7b-gone"'
    )
    assert "endpoints.quant-endpoint.variants.awq.engine: there is no engine" in message(
        Sources(endpoints=endpoints)
    )


def test_a_file_that_is_missing_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"/gateway\.toml: file: can't be read: No such file"):
        Deployment.read("dev", sources=Sources(gateway=tmp_path / "gateway.toml"))
