"""The shipped suites as files, and what a suite's steps come to."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.promptsets import store
from harness.report.page import render
from harness.statistics.blocks import fewest
from harness.suites import pods
from harness.suites.page import page
from harness.suites.steps.metrics import parsed
from harness.suites.steps.recovering import Recovery
from harness.suites.steps.requests import Requests
from harness.suites.suite import NAMES, StepResult, Suite, SuiteReport, load
from harness.verdict import Finding, Verdict


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_suite_is_sound_and_says_what_it_is_for(name: str) -> None:
    suite = load(name)
    assert suite.description
    names = [step.name for step in suite.step]
    assert len(names) == len(set(names)) > 0


def test_every_suite_file_has_a_name_on_the_command_line() -> None:
    shipped = {
        Path(str(one)).stem
        for one in files("harness.suites").iterdir()
        if str(one).endswith(".toml")
    }
    assert shipped == set(NAMES)


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "nothing", "name": "x"},
        {"kind": "get", "name": "x"},
        {"kind": "get", "name": "x", "path": "/", "more": 1},
        {"kind": "get", "name": "x", "path": 1},
    ],
)
def test_a_step_that_is_none_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"description": "d", "step": [step]}, Suite)


def test_the_failures_suite_sends_requests_that_are_shipped() -> None:
    steps = [step for step in load("failures").step if isinstance(step, Requests)]
    for step in steps:
        kinds = {row.request.kind for row in store.load(step.promptset).rows if row.request}
        assert kinds == {"malformed", "oversized", "burst", "slow"}
    assert steps


def test_the_quant_suite_times_often_enough_to_tell_how_fast_it_is() -> None:
    (step,) = (step for step in load("quant").step if isinstance(step, Recovery))
    assert step.timings >= fewest(0.5)


def finding(verdict: Verdict, name: str = "asked") -> Finding:
    return Finding(name=name, verdict=verdict, reason=f"it is {verdict.value}")


def report(*steps: StepResult) -> SuiteReport:
    return SuiteReport(
        suite="golden",
        description="of tests",
        gateway="http://127.0.0.1:9",
        started="2026-01-01T00:00:00Z",
        harness_version="0.1.0",
        verdict=Verdict.FAIL,
        steps=steps,
    )


def step(name: str, *findings: Finding, not_asked: str = "") -> StepResult:
    return StepResult(name=name, kind="get", seconds=1.0, findings=findings, not_asked=not_asked)


def test_a_step_that_was_not_asked_has_no_verdict_and_one_without_findings_no_pass() -> None:
    assert step("x", not_asked="why").verdict is None
    assert step("x").verdict is Verdict.INCONCLUSIVE
    assert step("x", finding(Verdict.PASS), finding(Verdict.FAIL)).verdict is Verdict.FAIL


def test_the_page_begins_with_the_worst_step_and_shows_what_was_not_asked() -> None:
    made = page(
        report(
            step("well", finding(Verdict.PASS)),
            step("ill", finding(Verdict.PASS), finding(Verdict.FAIL, "<b>why</b>")),
            step("skipped", not_asked="nobody knows"),
        )
    )
    assert [one.name for one in made.findings] == ["ill", "well"]
    html = render(made)
    assert "Not asked: nobody knows." in html
    assert "<b>why</b>" not in html
    assert "&lt;b&gt;why&lt;/b&gt;" in html


def test_metrics_are_summed_over_their_labels() -> None:
    text = """# HELP vllm:num_requests_waiting x
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0"} 3.0
vllm:num_requests_waiting{engine="1",model_name="a b"} 4.0
up 1
broken
vllm:other{} NotANumber
"""
    assert parsed(text) == {"vllm:num_requests_waiting": 7.0, "up": 1.0}


def test_pods_count_where_they_are_ready() -> None:
    def pod(status: str) -> dict[str, Any]:
        return {"status": {"conditions": [{"type": "Ready", "status": status}]}}

    document: dict[str, Any] = {
        "items": [pod("True"), pod("False"), pod("True"), {"status": {}}, None]
    }
    assert pods.count(document) == 2
    assert pods.count({}) == 0


@pytest.mark.parametrize(
    ("before", "during", "verdict"),
    [
        (1, 3, Verdict.PASS),
        (1, 1, Verdict.INCONCLUSIVE),
        (None, None, Verdict.INCONCLUSIVE),
        (2, None, Verdict.INCONCLUSIVE),
    ],
)
def test_only_more_pods_are_scaling(
    before: int | None, during: int | None, verdict: Verdict
) -> None:
    assert pods.finding("pods", before, during).verdict is verdict
