"""What a run came to, as people see it."""

import io

from msgspec.structs import replace
from rich.console import Console

from harness.aggregate import Aggregate
from harness.runs.grading import categories_of, grade_with
from harness.runs.tables import rate, show
from harness.statistics.proportions import wilson
from harness.summarise import summarise
from harness.summary import Summary
from tests.support.harness_runs import MS, plan, record, rows


def told(summary: Summary) -> str:
    out = io.StringIO()
    show(summary, Console(file=out, width=100))
    return out.getvalue()


def summary(count: int) -> Summary:
    of = plan(
        slo={"latency_ms": 10_000},
        load={"arrivals": {"type": "closed", "concurrency": 4}, "count": 5},
    )
    answers = (
        record(
            index,
            prompt_id=f"p{index % 20}",
            output="yes 4",
            prompt_tokens=10_000,
            completion_tokens=2_000,
            cached_tokens=1,
            first_ns=index * MS + 7 * MS,
            end_ns=index * MS + 90_000 * MS + index * index,
            variant="[red]v",
        )
        for index in range(count)
    )
    aggregate = Aggregate.of(
        answers, of, grade_with(rows()), categories=categories_of(rows()), planned=count
    )
    return summarise(of, aggregate)


def test_every_part_is_shown_within_a_hundred_columns() -> None:
    shown = told(summary(4_000))

    for part in ("latency", "TTFT", "TPOT", "even", "odd", "ledger", "within objectives", "PASS"):
        assert part in shown
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_pieces_that_came_together_are_told_in_place_of_their_gaps() -> None:
    of = summary(4_000)
    fast = replace(of.arms[0], read_together=0.5)
    shown = told(replace(of, arms=(fast,)))

    assert "ITL: pieces came faster than they are told apart (3 ms): see TPOT" in shown
    assert "ITL" not in told(of)


def test_what_models_and_servers_say_is_no_markup() -> None:
    assert "[red]v 30" in told(summary(30))


def test_a_run_of_nothing_is_shown_too() -> None:
    empty = summarise(plan(), Aggregate.empty(plan(), 0))

    assert "no request was measured" in told(empty)
    assert "INCONCLUSIVE" in told(replace(empty, timeline=()))


def test_nearly_all_is_not_told_as_all() -> None:
    assert rate(wilson(99_999, 100_000)).startswith("99.999 % (99,999 of 100,000; 99.99")
