"""What is shown of a run while it goes on."""

import io

import pytest
from rich.console import Console

from harness.histogram import Histogram
from harness.runs.progress import Progress, Silent, Watch
from harness.runs.tally import Tally
from tests.support.harness_runs import record


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tally(answered: int = 0, failed: int = 0) -> Tally:
    return Tally(
        answered=answered,
        failed=failed,
        end_ns=3_000_000_000,
        errors={"timeout": failed} if failed else {},
        latency=Histogram.of([10_000] * answered),
    )


def progress(clock: Clock, *, terminal: bool) -> tuple[Progress, io.StringIO]:
    out = io.StringIO()
    return Progress(Console(file=out, force_terminal=terminal, width=120), clock), out


def test_rate_percentiles_failures_and_what_is_left(clock: Clock) -> None:
    shown, _ = progress(clock, terminal=False)
    counts = tally()
    shown.begin(counts, 1_000, None)
    counts.answered, counts.failed, counts.errors = 40, 10, {"timeout": 9, "reset": 1}
    counts.latency = Histogram.of([10_000] * 40)
    clock.now = 2.0
    shown.look()

    assert shown.line() == (
        "50/1,000 requests · 25.0/s · latency p50 10 p95 10 ms · 10 failed (timeout) · 0:38 left"
    )


def test_of_a_run_by_time_the_time_is_left(clock: Clock) -> None:
    shown, _ = progress(clock, terminal=False)
    shown.begin(tally(5), None, 63.5)

    assert shown.line() == "5 requests · 0.0/s · latency p50 10 ms · 0 failed · 1:01 left"


def test_before_anything_happened(clock: Clock) -> None:
    shown, _ = progress(clock, terminal=False)
    shown.begin(Tally(), 10, None)

    assert shown.line() == "0/10 requests · 0.0/s · 0 failed"


def test_where_it_is_piped_there_is_a_line_every_few_seconds(clock: Clock) -> None:
    shown, out = progress(clock, terminal=False)
    shown.begin(tally(5), 10, None)
    for second in range(12):
        clock.now = float(second)
        shown.look()
    shown.end()

    assert len(out.getvalue().splitlines()) == 2
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_the_line_is_drawn_anew_and_goes_in_the_end(clock: Clock) -> None:
    shown, out = progress(clock, terminal=True)
    with shown:
        shown.begin(tally(5), 10, None)
        shown.look()
        assert "5/10 requests" in out.getvalue()

    assert out.getvalue().endswith("\x1b[2K")


def test_nothing_has_to_be_shown() -> None:
    watch: Watch = Silent()
    watch.begin(Tally(), None, None)
    watch.look()
    watch.end()


def test_a_tally_counts_each_record_once() -> None:
    counts = Tally()
    counts.add(record(0, end_ns=5_000_000, first_ns=1_000_000))
    counts.add(record(1, end_ns=4_000_000, error="reset"))

    assert counts == Tally(
        answered=1,
        failed=1,
        end_ns=5_000_000,
        errors={"reset": 1},
        latency=Histogram.of([5_000]),
        ttft=Histogram.of([1_000]),
    )
