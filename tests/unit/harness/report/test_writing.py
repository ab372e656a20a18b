"""Reports on disk: made from what a run's folder holds, whole or not at all."""

import json
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from harness.errors import HarnessError, StoreError, WrongInput
from harness.report import write
from harness.report.commands import report
from tests.support.recorded_runs import (
    answered,
    failed,
    plan,
    record_run,
    rows,
    two_arms,
    whole_answers,
)

MOST_BYTES = 1_500_000


def test_a_run_becomes_a_page_and_two_tables(tmp_path: Path) -> None:
    page = write(two_arms(tmp_path / "r-1"))

    assert page == tmp_path / "r-1" / "report.html"
    assert page.stat().st_size < MOST_BYTES
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "health",
        "plan.json",
        "prompts.jsonl",
        "records",
        "records.csv",
        "report.html",
        "summary.csv",
        "summary.json",
    ]
    assert len((page.parent / "records.csv").read_text(encoding="utf-8").splitlines()) == 1_601


def test_the_page_is_the_same_every_time(tmp_path: Path) -> None:
    path = whole_answers(tmp_path / "r-1")

    assert write(path).read_bytes() == write(path).read_bytes()


def test_the_verdict_is_the_one_that_was_written(tmp_path: Path) -> None:
    path = whole_answers(tmp_path / "r-1")
    told = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    told["findings"][0]["reason"] = "what was found that day"
    (path / "summary.json").write_text(json.dumps(told), encoding="utf-8")

    assert "what was found that day" in write(path).read_text(encoding="utf-8")


def test_a_run_that_is_not_over_is_invalid_whatever_was_recorded(tmp_path: Path) -> None:
    draw = random.Random(1)
    kept = [answered(index, "quant", draw, right=1) for index in range(20)]
    path = record_run(tmp_path / "r", plan(count=400), rows(), kept, over=False)
    page = write(path).read_text(encoding="utf-8")

    assert "exit code 3" in page
    assert "the run is not over" in page
    assert "380 never recorded" in page


def test_examples_are_a_few_of_each_kind_and_none_of_the_warm_up(tmp_path: Path) -> None:
    draw = random.Random(1)
    kept = [
        failed(index, "quant", "reset") if index % 2 else answered(index, "quant", draw, right=0)
        for index in range(60)
    ]
    path = record_run(tmp_path / "r", plan(count=60, warmup=10), rows(), kept)
    page = write(path).read_text(encoding="utf-8")

    assert page.count('<article class="quote">') == 6
    assert [page.count(f"<h3>Request {index}:") for index in (9, 10, 11, 15, 16)] == [0, 1, 1, 1, 0]


def test_only_failures_and_nothing_at_all_have_pages_too(tmp_path: Path) -> None:
    kept = [failed(index, "quant") for index in range(40)]
    all_failed = write(record_run(tmp_path / "failed", plan(count=40), rows(), kept))
    nothing = write(record_run(tmp_path / "nothing", plan(count=40), rows(), []))

    assert "exit code 0" not in all_failed.read_text(encoding="utf-8")
    assert "No request was measured." in nothing.read_text(encoding="utf-8")


def test_what_a_model_says_is_no_markup(tmp_path: Path) -> None:
    answer = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    record = msgspec.structs.replace(
        answered(0, "quant", random.Random(1)),
        output=answer,
        target=answer,
        variant=answer,
        finish_reason=answer,
    )
    page = write(record_run(tmp_path / "r", plan(count=1), rows(), [record]))

    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") >= 4


def test_no_run_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="is not a run"):
        write(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_records_of_another_run_are_refused(tmp_path: Path) -> None:
    stranger = failed(0, "stranger")
    path = record_run(tmp_path / "r", plan(count=1), rows(), [stranger], over=False)

    with pytest.raises(StoreError, match="'stranger', which the plan doesn't have"):
        write(path)


def test_a_table_that_cant_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = whole_answers(tmp_path / "r-1")
    (path / "records.csv").mkdir()

    with pytest.raises(StoreError, match=r"records\.csv can't be written"):
        write(path)
    assert not list(path.glob(".*"))


def test_the_command_says_where_the_page_is(tmp_path: Path) -> None:
    path = whole_answers(tmp_path / "r-1")

    done = CliRunner().invoke(report, [str(path)], catch_exceptions=False)

    assert (done.exit_code, done.output) == (0, f"{path / 'report.html'}\n")


def test_the_command_fails_with_a_message(tmp_path: Path) -> None:
    done = CliRunner().invoke(report, [str(tmp_path)])

    assert isinstance(done.exception, HarnessError)
    assert done.exception.exit_code == 64


def test_nothing_that_draws_is_imported_until_something_is_drawn() -> None:
    asked = (
        "import sys, harness.report.commands, harness.report.page\n"
        "print(sorted({'altair', 'vl_convert', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\n"
