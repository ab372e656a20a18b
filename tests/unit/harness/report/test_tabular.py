"""CSV: everything comes back as it went in, and nothing runs in a spreadsheet."""

import csv
import io
import random
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from harness.report.tabular import write_records, write_summary
from harness.runs.folder import RunFolder
from harness.runs.grading import grade_with
from harness.summarise import summarise
from tests.support.recorded_runs import answered, failed, rows, two_arms


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_record_is_one_row_with_its_times_in_milliseconds() -> None:
    whole = answered(7, "quant", random.Random(1))
    broken = failed(8, "quant", "reset")
    file = io.StringIO(newline="")
    write_records(file, [whole, broken], grade_with(rows()))

    first, second = read(file.getvalue())
    assert first["index"] == "7"
    assert whole.ttft_ns is not None
    assert whole.tpot_ns is not None
    assert float(first["latency_ms"]) == whole.latency_ns / 1e6
    assert float(first["ttft_ms"]) == whole.ttft_ns / 1e6
    assert float(first["tpot_ms"]) == whole.tpot_ns / 1e6
    assert float(first["service_ms"]) == (whole.end_ns - whole.sent_ns) / 1e6
    assert first["completion_tokens"] == "20"
    assert first["passed"] == str(grade_with(rows())(whole)).lower()
    assert (second["error"], second["ttft_ms"], second["passed"]) == ("reset", "", "false")


@pytest.mark.parametrize(
    "output", ["two\nlines", 'quoted "text", and commas', "", "end\r\n", "日本語 🙂", " = spaced"]
)
def test_an_answer_comes_back_as_it_was(output: str) -> None:
    record = msgspec.structs.replace(answered(0, "quant", random.Random(1)), output=output)
    file = io.StringIO(newline="")
    write_records(file, [record], lambda _: None)

    (row,) = read(file.getvalue())
    assert row["output"] == output
    assert row["passed"] == ""


@pytest.mark.parametrize("output", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_is_text(output: str) -> None:
    record = msgspec.structs.replace(
        answered(0, "=arm", random.Random(1)), output=output, target=output, correlation_id=output
    )
    file = io.StringIO(newline="")
    write_records(file, [record], lambda _: None)

    (row,) = read(file.getvalue())
    assert {row["output"], row["target"], row["correlation_id"]} == {f"'{output}"}
    assert row["arm"] == "'=arm"


def test_a_negative_number_stays_a_number() -> None:
    early = msgspec.structs.replace(answered(1, "quant", random.Random(1)), sent_ns=0)
    file = io.StringIO(newline="")
    write_records(file, [early], lambda _: None)

    assert float(read(file.getvalue())[0]["dispatch_lag_ms"]) == -40.0


def test_a_summary_has_every_figure_with_its_interval_and_unit(tmp_path: Path) -> None:
    folder = RunFolder(two_arms(tmp_path / "r"))
    summary = summarise(folder.plan, folder.aggregate())
    file = io.StringIO(newline="")
    write_summary(file, summary)

    told = {(row["metric"], row["arm"]): row for row in read(file.getvalue())}
    for arm in summary.arms:
        rate = told["error_rate", arm.arm]
        assert float(rate["value"]) == pytest.approx(arm.error_rate.value, abs=1e-6)
        assert float(rate["low"]) == pytest.approx(arm.error_rate.low, abs=1e-6)
        assert rate["unit"] == "share"
        assert arm.latency is not None
        for at in arm.latency.percentiles:
            row = told[f"latency/p{at.level * 100:g}", arm.arm]
            assert float(row["value"]) == pytest.approx(at.value)
            assert row["unit"] == "ms"
        for category, share in arm.by_category.items():
            assert float(told[f"pass_rate/{category}", arm.arm]["value"]) == share.value


def test_a_summary_says_how_many_gaps_could_not_be_told_apart(tmp_path: Path) -> None:
    folder = RunFolder(two_arms(tmp_path / "r"))
    summary = summarise(folder.plan, folder.aggregate())
    fast = replace(summary.arms[0], inter_token=None, read_together=0.25)
    file = io.StringIO(newline="")
    write_summary(file, replace(summary, arms=(fast,)))

    told = {row["metric"]: row for row in read(file.getvalue())}
    assert told["inter_token/read_together"]["value"] == "0.25"
    assert told["inter_token/read_together"]["unit"] == "share"
    assert "inter_token/p50" not in told
