"""The harness' commands against real engines: what they say is true, and their pages are there."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec
import pytest

from harness.compare.commands import ab, compare
from harness.compare.results import Comparison
from harness.compare.variants import AbReport
from harness.judge.commands import judge
from harness.ledger import Ledger
from harness.runs.commands import run
from harness.runs.folder import RunFolder
from harness.suites.commands import suite
from harness.suites.suite import SuiteReport
from harness.verdict import Verdict
from tests.e2e.platform import Platform

pytestmark = pytest.mark.engines

TINY = ("--promptset", "tiny")
ROWS = 60
DECIDED = (Verdict.PASS, Verdict.INCONCLUSIVE)
"""Sixty rows are too few for a margin of two points: PASS isn't to be had, and FAIL is a fault."""

Ask = Callable[..., tuple[int, RunFolder]]


@pytest.fixture
def ask(platform: Platform, tmp_path: Path) -> Ask:
    """`run --promptset tiny`, and the folder that it wrote."""
    del platform

    def go(*options: str) -> tuple[int, RunFolder]:
        before = set(tmp_path.glob("*/plan.json"))
        code = called(run, (*TINY, "--concurrency", "4", "--output", str(tmp_path), *options))
        (plan,) = set(tmp_path.glob("*/plan.json")) - before
        return code, RunFolder(plan.parent)

    return go


def called(command: click.Command, arguments: Sequence[str]) -> int:
    return int(command.main(list(arguments), standalone_mode=False))


def test_a_run_passes_with_every_request_recorded_once_and_has_a_page(ask: Ask) -> None:
    code, folder = ask()

    summary = folder.summary
    assert summary is not None
    assert (code, summary.verdict) == (0, Verdict.PASS), summary.findings
    assert sorted(record.index for record in folder.records()) == list(range(ROWS))
    assert folder.aggregate().ledger == Ledger.of(range(ROWS))
    (arm,) = summary.arms
    assert (arm.arm, arm.requests, arm.errors) == ("reference", ROWS, {})
    assert arm.variants == {"fp16": ROWS}
    assert arm.pass_rate is not None
    assert arm.pass_rate.count == ROWS
    page = (folder.path / "report.html").read_text("utf-8")
    assert "PASS" in page
    assert len((folder.path / "records.csv").read_text("utf-8").splitlines()) == ROWS + 1


def test_a_4_bit_model_loses_no_answer_of_the_reference(ask: Ask) -> None:
    _, reference = ask()
    _, quant = ask("--team", "quant")

    code = called(compare, (str(reference.path), str(quant.path), "--margin", "0.1"))

    written = (quant.path / "compare.json").read_bytes()
    found = msgspec.json.decode(written, type=Comparison)
    assert (code, found.verdict) == (0, Verdict.PASS), found.findings
    assert found.quality is not None
    assert (found.quality.lost, found.quality.gained) == ((), ())
    assert (quant.path / "compare.html").stat().st_size > 10_000


def test_an_a_b_report_sees_both_adapters_of_a_split(ask: Ask) -> None:
    _, folder = ask("--team", "finetune", "--repeat", "2")

    code = called(ab, (str(folder.path), "--split", "lora-v1=80", "--split", "lora-v2=20"))

    found = msgspec.json.decode((folder.path / "ab.json").read_bytes(), type=AbReport)
    assert found.verdict in DECIDED, found.findings
    assert code == found.verdict.exit_code
    assert [variant.name for variant in found.variants] == ["lora-v1", "lora-v2"]
    assert sum(variant.requests for variant in found.variants) == 2 * ROWS
    assert all(variant.requests for variant in found.variants)


def test_the_golden_suite_passes(platform: Platform, tmp_path: Path) -> None:
    del platform
    code = called(suite, ("golden", "--output", str(tmp_path)))

    (written,) = tmp_path.glob("*/suite.json")
    found = msgspec.json.decode(written.read_bytes(), type=SuiteReport)
    assert (code, found.verdict) == (0, Verdict.PASS), found
    assert (written.parent / "suite.html").stat().st_size > 5_000


def test_the_judge_agrees_with_what_is_known_of_its_facts(
    platform: Platform, tmp_path: Path
) -> None:
    del platform
    code = called(judge, ("calibrate", "--output", str(tmp_path)))

    assert Verdict.FAIL.exit_code != code
    assert code in {verdict.exit_code for verdict in DECIDED}
    assert len(list(tmp_path.glob("*-calibration/calibration.html"))) == 1
