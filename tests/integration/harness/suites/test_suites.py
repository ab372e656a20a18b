"""`python -m harness suite …` against the gateway as it ships, well and ill."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.demo.proof import CONTRACT_HEADERS
from harness.errors import GatewayError, NoStackError, PromptsetError
from harness.stage import Stage
from harness.suites.steps.answers import Answer, Differ
from harness.suites.steps.comparing import Compared
from harness.suites.steps.endpoints import Models, Refusal
from harness.suites.steps.judging import Judges
from harness.suites.steps.splitting import Split, Sticky
from harness.suites.suite import Suite, SuiteReport, carry_out, load
from harness.suites.visit import Visit
from harness.verdict import Verdict
from tests.integration.conftest import Stack
from tests.support.http_server import Answered, serving
from tests.support.scripted_judge import command, json_of


@pytest.fixture(autouse=True)
def _key(well: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMO_API_KEY", well.key())


READY = "every team is ready"


class Visited:
    """What a suite came to."""

    def __init__(self, code: int, folder: Path) -> None:
        self.code = code
        self.folder = folder
        self.report: dict[str, Any] = json_of(folder / "suite.json")

    @property
    def bad(self) -> set[str]:
        """Names of the steps that are not as they should be."""
        return {
            step["name"]
            for step in self.report["steps"]
            for finding in step.get("findings", ())
            if finding["verdict"] != "PASS"
        }

    def reasons(self, name: str) -> str:
        return " ".join(
            finding["reason"]
            for step in self.report["steps"]
            if step["name"] == name
            for finding in step.get("findings", ())
        )


def visited(name: str, stack: Stack, out: Path, *more: str) -> Visited:
    arguments = ("--gateway", stack.gateway.url, "--promptset", "tiny", "--output", str(out))
    code = command("suite", name, *arguments, *more)
    return Visited(code, next(out.glob(f"*-suite-{name}")))


def test_a_well_platform_is_golden_and_a_page_says_so(well: Stack, tmp_path: Path) -> None:
    found = visited("golden", well, tmp_path)
    assert (found.bad, found.code) == (set(), 0)
    not_asked = [step["name"] for step in found.report["steps"] if step.get("not_asked")]
    assert not_asked == ["engine metrics"]
    html = (found.folder / "suite.html").read_text("utf-8")
    assert "PASS" in html
    assert "Not asked: the engines" in html
    runs = list(found.folder.glob("*-tiny-*/report.html"))
    assert len(runs) == 1


def test_a_team_whose_engine_fails_is_found(ill: Stack, tmp_path: Path) -> None:
    engine = ill.engines["mistral-7b-fp16"]
    engine.behaviour = replace(engine.behaviour, fault="status", status=500)
    found = visited("golden", ill, tmp_path)
    assert found.code in {1, 3}
    assert {"answers", "quality"} <= found.bad
    assert "listed models" not in found.bad


def test_answers_that_are_wrong_are_found(ill: Stack, tmp_path: Path) -> None:
    engine = ill.engines["mistral-7b-fp16"]
    engine.behaviour = replace(engine.behaviour, answer="I do not know")
    found = visited("golden", ill, tmp_path)
    assert (found.bad - {READY}, found.code) == ({"quality"}, 1)


@pytest.mark.parametrize("said", ["no JSON", '{"coherence": 2}'])
def test_a_judge_that_talks_nonsense_is_found(ill: Stack, tmp_path: Path, said: str) -> None:
    engine = ill.engines["mistral-7b-judge"]
    engine.behaviour = replace(engine.behaviour, answer=said)
    found = visited("golden", ill, tmp_path)
    assert (found.bad - {READY}, found.code) == ({"the judge"}, 1)
    assert "judge_invalid" in found.reasons("the judge")


def test_what_is_wrong_is_refused_and_survived(well: Stack, tmp_path: Path) -> None:
    found = visited("failures", well, tmp_path)
    findings = {
        finding["name"]: finding
        for step in found.report["steps"]
        for finding in step.get("findings", ())
    }
    assert {one["verdict"] for one in findings.values()} == {"PASS"}
    assert found.code == 0
    assert {
        "malformed: empty-body",
        "oversized: body-over-the-limit",
        "slow: slow-line",
        "burst: burst-of-mistakes",
    } <= set(findings)


def test_a_platform_that_takes_everything_fails(tmp_path: Path) -> None:
    """Whoever says 200 to all of it refuses nothing."""
    with serving(lambda _asked: Answered(body=b"{}")) as url:
        code = command("suite", "failures", "--gateway", url, "--output", str(tmp_path))
    found = Visited(code, next(tmp_path.glob("*-suite-failures")))
    assert code == 1
    assert {"before", "failures", "afterwards", "it is alive afterwards"} == found.bad
    assert "200 instead of 413" in found.reasons("failures")


def test_the_split_is_dealt_and_sessions_stay(well: Stack, tmp_path: Path) -> None:
    engine = well.engines["mistral-7b-lora"]
    found = visited("finetune", well, tmp_path)
    # Fake adapters say the same, which real ones must not.
    assert found.bad == {"the adapters differ"}
    assert found.code == 1
    assert engine.requests


def test_a_split_without_the_right_to_read_it_is_not_asked(well: Stack, tmp_path: Path) -> None:
    stage = Stage(gateway_url=well.gateway.url, key=well.key("invoke"))
    suite = Suite("", (Split(name="split", team="finetune", prompt="hi"),))
    report = asyncio.run(_carried_out(stage, suite, tmp_path))
    assert "ops:read" in report.steps[0].not_asked
    assert report.verdict is Verdict.INCONCLUSIVE


async def _carried_out(stage: Stage, suite: Suite, folder: Path) -> SuiteReport:
    async with stage.client() as gateway:
        visit = Visit(stage=stage, gateway=gateway, folder=folder, promptset="tiny")
        return await carry_out("mine", suite, visit)


def test_a_gateway_that_is_away_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    away = ("--gateway", "http://127.0.0.1:9", "--output", str(tmp_path))
    with pytest.raises(GatewayError, match="does not answer"):
        command("suite", "golden", *away)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_refused_is_told(
    well: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMO_API_KEY", "llmo_nobody_nothing")
    with pytest.raises(GatewayError, match="refuses the key"):
        command("suite", "golden", "--gateway", well.gateway.url, "--output", str(tmp_path))


def test_no_key_and_an_unknown_promptset_are_told(
    well: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = ("--gateway", well.gateway.url, "--output", str(tmp_path))
    with pytest.raises(PromptsetError, match="no promptset 'nothing'"):
        command("suite", "golden", *gateway, "--promptset", "nothing")
    monkeypatch.delenv("LLMO_API_KEY")
    with pytest.raises(NoStackError, match="LLMO_API_KEY"):
        command("suite", "golden", *gateway)


def test_adapters_that_fail_alike_are_not_found_as_good_as_each_other(
    ill: Stack, tmp_path: Path
) -> None:
    engine = ill.engines["mistral-7b-lora"]
    engine.behaviour = replace(engine.behaviour, fault="status", status=500)
    ill.sagemaker.refusal = Answered(status=500)
    step = Compared(name="compared", team="finetune", variants=("lora-v1", "lora-v2"), margin=0.1)
    stage = Stage(gateway_url=ill.gateway.url, key=ill.key())
    report = asyncio.run(_carried_out(stage, Suite("", (step,)), tmp_path))
    assert report.verdict in {Verdict.FAIL, Verdict.INVALID}


ODD: tuple[object, ...] = (
    {},
    {"usage": "many", "data": 3, "split": 5, "choices": [], "error": 3, "output": "4"},
    {"usage": [1], "data": {"a": 1}, "split": {"a": "b"}, "choices": [{"message": "4"}]},
    {"usage": {"total_tokens": "2"}, "data": [1], "split": {"a": None}, "error": {"message": 1}},
    [],
    "x",
    None,
)


@pytest.mark.parametrize("document", ODD, ids=str)
@pytest.mark.parametrize("name", ["golden", "finetune"])
def test_a_gateway_that_answers_in_its_own_shapes_fails_and_stops_nothing(
    name: str, document: object, tmp_path: Path
) -> None:
    headers = dict.fromkeys(CONTRACT_HEADERS, "x")
    answer = Answered(body=json.dumps(document).encode(), headers=headers)
    asking = (Answer, Differ, Judges, Models, Refusal, Split, Sticky)
    steps = tuple(step for step in load(name).step if isinstance(step, asking))

    async def report(url: str) -> SuiteReport:
        stage = Stage(gateway_url=url, key="k")
        async with stage.client() as gateway:
            visit = Visit(stage=stage, gateway=gateway, folder=tmp_path, promptset="tiny")
            return await carry_out(name, Suite("", steps), visit)

    with serving(lambda _asked: answer) as url:
        found = asyncio.run(report(url))
    assert {step.verdict for step in found.steps} == {Verdict.FAIL}
