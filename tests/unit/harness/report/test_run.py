"""The page of a run says what its summary says, and why where it can't."""

import random
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness.aggregate import Aggregate
from harness.plan import Burst, Constant, Load, Poisson, Ramp, Steps
from harness.report.page import Cell, Page, Section
from harness.report.run import page_of
from harness.report.run_facts import arrivals
from harness.report.run_quality import Failure
from harness.report.wording import DASH
from harness.runs.folder import RunFolder
from harness.summarise import summarise
from harness.summary import Summary
from tests.support.recorded_runs import MS, answered, failed, plan, record_run, rows, two_arms

if TYPE_CHECKING:
    from harness.records import Record


def page_and_summary(path: Path) -> tuple[Page, Summary]:
    folder = RunFolder(path)
    aggregate = folder.aggregate()
    summary = summarise(folder.plan, aggregate)
    return page_of(summary, aggregate), summary


def section(page: Page, heading: str) -> Section:
    return next(one for one in page.sections if one.heading == heading)


def text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def cells(one: Section) -> dict[str, tuple[str, ...]]:
    assert one.table is not None
    return {text(row[0]): tuple(map(text, row[1:])) for row in one.table.rows}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Summary]:
    return page_and_summary(two_arms(tmp_path_factory.mktemp("runs") / "r-1"))


def test_two_arms_stand_side_by_side(both: tuple[Page, Summary]) -> None:
    page, summary = both

    assert page.series == ("reference", "quant")
    assert page.verdict is summary.verdict
    assert page.findings == summary.findings
    assert {len(figure.values) for figure in page.figures} == {2}
    assert [one.heading for one in page.sections] == [
        "Quality",
        "Errors",
        "Latency",
        "Time to first token",
        "Time per output token",
        "Between tokens",
        "Over time",
        "Throughput and tokens",
        "Who answered, and how answers ended",
        "The client",
    ]


def test_quality_is_told_by_category_and_in_all(both: tuple[Page, Summary]) -> None:
    page, summary = both
    told = cells(section(page, "Quality"))
    reference, quant = summary.arms

    assert list(told) == ["arithmetic", "capitals", "medical", "translation", "all"]
    assert reference.pass_rate is not None
    assert quant.pass_rate is not None
    assert (told["all"][1], told["all"][4]) == (
        f"{reference.pass_rate.count} of 800",
        f"{quant.pass_rate.count} of 800",
    )


def test_a_percentile_that_is_not_known_says_why(both: tuple[Page, Summary]) -> None:
    table = section(both[0], "Latency").table
    assert table is not None
    row = next(row for row in table.rows if row[0] == "p99.9")

    assert isinstance(row[1], Cell)
    assert row[1].text == DASH
    assert row[1].title.endswith("values don't tell it from the largest")


def test_errors_are_counted_by_class_and_explained(both: tuple[Page, Summary]) -> None:
    page, summary = both
    told = cells(section(page, "Errors"))

    for name, (meaning, *counts) in told.items():
        assert meaning in {"the answer was not complete in time", "the server failed"}
        assert counts == [str(arm.errors[name]) for arm in summary.arms]


def test_an_open_loop_shows_the_service_time_and_the_dispatch_lag(tmp_path: Path) -> None:
    draw = random.Random(2)
    asked = plan(arrivals=Poisson(rate=25), count=400, warmup=20)
    kept = [answered(index, "quant", draw) for index in range(400)]
    page, _ = page_and_summary(record_run(tmp_path / "r", asked, rows(), kept))

    assert any("dashed" in line for line in section(page, "Latency").prose)
    client = section(page, "The client")
    assert client.chart is not None
    assert "requests sent after they were planned" in cells(client)
    assert dict(page.facts)["load"] == (
        "open loop, Poisson arrivals, 25 a second, 400 requests, the first 20 left out"
    )


def test_of_whole_answers_no_token_times_are_shown(tmp_path: Path) -> None:
    draw = random.Random(3)
    kept: list[Record] = [
        msgspec.structs.replace(answered(index, "quant", draw), first_ns=None, gaps_us=())
        for index in range(50)
    ]
    page, _ = page_and_summary(record_run(tmp_path / "r", plan(count=50), rows(), kept))

    headings = [one.heading for one in page.sections]
    assert "Latency" in headings
    assert not {"Time to first token", "Time per output token", "Between tokens"} & set(headings)
    assert "First token p50" not in [figure.label for figure in page.figures]


def test_gaps_that_cannot_be_told_apart_are_no_figures(tmp_path: Path) -> None:
    draw = random.Random(3)
    kept = [
        msgspec.structs.replace(answered(index, "quant", draw), gaps_us=(0, 3_000) * 9 + (0,))
        for index in range(50)
    ]
    page, _ = page_and_summary(record_run(tmp_path / "r", plan(count=50), rows(), kept))

    between = section(page, "Between tokens")
    assert between.prose == (
        "quant: pieces came faster than they are told apart (3 ms): see TPOT.",
    )
    assert (between.chart, between.table) == (None, None)


def test_unchecked_answers_have_no_quality(tmp_path: Path) -> None:
    draw = random.Random(4)
    kept = [answered(index, "quant", draw) for index in range(50)]
    asked = plan(count=50, min_pass_rate=None)
    page, _ = page_and_summary(record_run(tmp_path / "r", asked, rows(), kept))

    assert "Quality" not in [one.heading for one in page.sections]
    assert "Passed their checks" not in [figure.label for figure in page.figures]


def test_a_run_in_which_all_failed_says_so(tmp_path: Path) -> None:
    kept = [failed(index, "quant") for index in range(40)]
    page, summary = page_and_summary(record_run(tmp_path / "r", plan(count=40), rows(), kept))

    assert summary.verdict.exit_code != 0
    assert {figure.label: figure.values for figure in page.figures} == {
        "Passed their checks": ("0 %",),
        "Failed requests": ("100 %",),
        "Answered a second": ("0",),
        "Within the objectives": ("0 %",),
    }
    assert section(page, "Latency") == Section(
        heading="Latency", prose=("No request was answered.",)
    )


def test_a_run_without_records_has_a_page(tmp_path: Path) -> None:
    page, summary = page_and_summary(record_run(tmp_path / "r", plan(count=40), rows(), []))

    assert summary.verdict.exit_code != 0
    assert section(page, "Errors").prose == ("No request was measured.",)


def test_a_stall_is_seen_in_the_largest_latency_from_the_planned_time(tmp_path: Path) -> None:
    draw = random.Random(5)
    kept = [answered(index, "quant", draw) for index in range(400)]
    late = kept[200]
    kept[200] = msgspec.structs.replace(
        late, sent_ns=late.sent_ns + 900 * MS, first_ns=None, end_ns=late.end_ns + 900 * MS
    )
    asked = plan(arrivals=Constant(rate=25))
    page, summary = page_and_summary(record_run(tmp_path / "r", asked, rows(), kept))

    latency, service = summary.arms[0].latency, summary.arms[0].service
    assert latency is not None
    assert service is not None
    assert latency.maximum - service.maximum > 700
    assert float(cells(section(page, "Latency"))["largest"][0].replace(",", "")) > 1_000


def test_examples_are_quoted_and_cut() -> None:
    failure = Failure(
        index=3,
        arm="quant",
        prompt_id="p3",
        category="medical",
        question="q" * 2_000,
        answer="",
        checks=("the answer is empty",),
    )
    summary = summarise(plan(count=1), _empty())
    quote = section(page_of(summary, _empty(), [failure]), "What went wrong, for example").quotes[0]

    assert quote.label == "Request 3: p3, medical, quant"
    assert dict(quote.parts) == {
        "asked": "q" * 599 + "…",
        "answered": "nothing",
        "failed": "the answer is empty",
    }


def _empty() -> Aggregate:
    return Aggregate.of([], plan(count=1))


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (Constant(rate=2_000), "open loop, 2,000 a second"),
        (Ramp(from_rate=0, to_rate=2.5), "open loop, 0 to 2.5 a second"),
        (Burst(size=100, every_s=90), "open loop, 100 at once every 1 min 30 s"),
        (Steps(rates=(1, 2, 4)), "open loop, steps of 1, 2, 4 a second"),
    ],
)
def test_every_kind_of_load_is_said_in_words(
    load: Constant | Ramp | Burst | Steps, said: str
) -> None:
    assert arrivals(Load(arrivals=load, duration_s=10)) == said
