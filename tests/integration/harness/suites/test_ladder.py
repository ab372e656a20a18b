"""More and more load: what is seen of the engines' queues, of pods, and of calm afterwards."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_struct

from harness.demo.proof import CONTRACT_HEADERS
from harness.errors import HarnessError
from harness.stage import Stage
from harness.suites import pods
from harness.suites.steps.ladder import Ladder
from harness.suites.suite import Suite, SuiteReport, carry_out
from harness.suites.visit import Visit
from harness.verdict import Finding, Verdict
from tests.integration.conftest import Stack
from tests.support.http_server import Answered, serving

STEP = Ladder(
    name="ladder",
    team="quant",
    rates=(10, 20),
    duration_s=1,
    max_tokens=8,
    probes=3,
    calm=10_000,
    calm_within_s=0,
)
WAITING = """vllm:num_requests_running{engine="0"} 32.0
vllm:num_requests_waiting{engine="0"} 5.0
"""

WELL = (
    b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}], '
    b'"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}'
)
HEADERS = dict.fromkeys(CONTRACT_HEADERS, "x")


def climbed(stack: Stack, folder: Path, engines: Mapping[str, str]) -> dict[str, Finding]:
    stage = Stage(gateway_url=stack.gateway.url, key=stack.key(), engines=engines)

    async def visited() -> SuiteReport:
        async with stage.client() as gateway:
            visit = Visit(stage=stage, gateway=gateway, folder=folder, promptset="tiny")
            return await carry_out("mine", Suite("", (STEP,)), visit)

    report = asyncio.run(visited())
    return {one.name.removeprefix("ladder: "): one for one in report.steps[0].findings}


def test_a_queue_that_formed_is_told_with_its_length(well: Stack, tmp_path: Path) -> None:
    with serving(lambda _asked: Answered(body=WAITING.encode())) as url:
        found = climbed(well, tmp_path, {"mistral-7b-awq": url})
    assert (found["queue"].verdict, found["queue"].measured) == (Verdict.PASS, 5.0)
    assert found["ledger"].verdict is Verdict.PASS
    assert found["calm afterwards"].verdict is Verdict.PASS


def test_without_a_queue_or_an_engine_to_ask_nothing_is_claimed(
    well: Stack, tmp_path: Path
) -> None:
    idle = climbed(well, tmp_path / "a", {"awq": well.engines["mistral-7b-awq"].url})
    assert idle["queue"].verdict is Verdict.INCONCLUSIVE
    assert "no queue formed" in idle["queue"].reason
    unknown = climbed(well, tmp_path / "b", {})
    assert unknown["queue"].verdict is Verdict.INCONCLUSIVE
    assert "no queue could be seen" in unknown["queue"].reason
    assert unknown["pods"].verdict is Verdict.INCONCLUSIVE
    assert "--kubectl" in unknown["pods"].reason


def test_refusals_are_quick_and_no_calm(ill: Stack, tmp_path: Path) -> None:
    """Whoever refuses all requests at once would be the calmest of all."""
    engine = ill.engines["mistral-7b-awq"]
    engine.behaviour = replace(engine.behaviour, fault="status", status=500)
    ill.sagemaker.refusal = Answered(status=500)
    found = climbed(ill, tmp_path, {})
    assert found["calm afterwards"].verdict is Verdict.FAIL


def test_what_was_never_well_is_not_calm_afterwards() -> None:
    """There is nothing to be as quick as."""
    step = replace_struct(STEP, calm_within_s=60.0)

    async def asked(url: str) -> Finding:
        stage = Stage(gateway_url=url, key="k")
        async with stage.client() as gateway:
            visit = Visit(stage=stage, gateway=gateway, folder=Path(), promptset="tiny")
            return await step._calm(visit, float("inf"))

    with serving(lambda _asked: Answered(body=WELL, headers=HEADERS)) as url:
        assert asyncio.run(asked(url)).verdict is Verdict.FAIL


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def _says(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_kubectl_tells_how_many_pods_are_ready(kubectl: Path) -> None:
    ready = '{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}'
    _says(kubectl, f'test "$3" = --namespace=llm && echo \'{{"items": [{ready}, {ready}]}}\'')
    assert asyncio.run(pods.ready("llm")) == 2


def test_a_kubectl_that_cannot_tell_or_is_not_there_is_told(kubectl: Path) -> None:
    with pytest.raises(HarnessError, match="no kubectl on the PATH"):
        asyncio.run(pods.ready("llm"))
    _says(kubectl, "echo 'no such cluster' >&2; exit 1")
    with pytest.raises(HarnessError, match="no such cluster"):
        asyncio.run(pods.ready("llm"))
    _says(kubectl, "echo no JSON")
    with pytest.raises(HarnessError, match="kubectl"):
        asyncio.run(pods.ready("llm"))
