"""An aggregate as figures for people."""

import pytest
from msgspec.structs import replace

from harness.aggregate import Aggregate, Second
from harness.figures import arm_summary, distribution, pass_rate, passed, timeline
from harness.histogram import Histogram
from harness.plan import Slo
from harness.statistics.proportions import wilson
from harness.summary import Point
from harness.totals import ArmTotals, Checked

S = 1_000_000_000


def totals(**changed: object) -> ArmTotals:
    made = ArmTotals(
        requests=4,
        errors={"timeout": 1},
        latency=Histogram.of([1_000, 2_000, 3_000]),
        ttft=Histogram.of([100] * 3),
        gaps=Histogram.of([10] * 27),
        counted=3,
        pieces=30,
        prompt_tokens=60,
        completion_tokens=30,
        first_ns=1 * S,
        last_ns=3 * S,
    )
    return replace(made, **changed)


def test_rates_are_of_what_was_answered_from_first_to_last() -> None:
    summary = arm_summary("a", totals(), Slo())

    assert summary.duration_s == 2
    assert summary.requests_per_s == 1.5
    assert summary.output_tokens_per_s == 15
    assert summary.total_tokens_per_s == 45
    assert summary.error_rate.value == 0.25
    assert (summary.goodput, summary.goodput_per_s, summary.pass_rate) == (None, None, None)


def test_tokens_are_not_told_where_the_server_left_some_out() -> None:
    summary = arm_summary("a", totals(counted=2), Slo())

    assert (summary.output_tokens_per_s, summary.completion_tokens) == (None, None)
    assert summary.inter_token is None


@pytest.mark.parametrize(("pieces", "told"), [(30, True), (27, True), (26, False), (34, False)])
def test_pieces_are_told_as_tokens_only_where_they_are(pieces: int, told: bool) -> None:  # noqa: FBT001
    """An answer's last token may have no text and so no piece."""
    assert (arm_summary("a", totals(pieces=pieces), Slo()).inter_token is not None) is told


@pytest.mark.parametrize(("at_once", "told"), [(10, True), (11, False)])
def test_gaps_are_no_figures_where_pieces_came_together(at_once: int, told: bool) -> None:  # noqa: FBT001
    gaps = Histogram.of([0] * at_once + [3_000] * (1_000 - at_once))
    summary = arm_summary("a", totals(gaps=gaps), Slo())

    assert (summary.inter_token is not None) is told
    assert summary.read_together == at_once / 1_000
    assert bool(summary.inter_token_note) is not told


def test_pieces_that_came_together_add_up_over_shards() -> None:
    fast, slow = Histogram.of([0] * 5 + [3_000] * 95), Histogram.of([3_000] * 900)
    parts = [totals(gaps=gaps) for gaps in (fast, slow)]
    alone = [arm_summary("a", part, Slo()).read_together for part in parts]
    parts[0].update(parts[1])

    assert alone == [0.05, 0.0]
    assert arm_summary("a", parts[0], Slo()).read_together == 0.005


def test_of_pieces_that_are_no_tokens_nothing_is_told() -> None:
    summary = arm_summary("a", totals(gaps=Histogram.of([0] * 27), pieces=26), Slo())

    assert (summary.inter_token, summary.read_together, summary.inter_token_note) == (None,) * 2 + (
        "",
    )


def test_goodput_where_objectives_are() -> None:
    summary = arm_summary("a", totals(good=2), Slo(latency_ms=3))

    assert summary.goodput is not None
    assert (summary.goodput.value, summary.goodput_per_s) == (0.5, 1.0)


def test_rows_that_were_asked_again_show_little_more() -> None:
    """Ten answers of one row are no ten rows."""
    rows = [f"p{number}" for number in range(20)]
    once = pass_rate(totals(quality=Checked(20, 19), rows={"a": dict.fromkeys(rows, 1)}))
    again = pass_rate(totals(quality=Checked(200, 190), rows={"a": dict.fromkeys(rows, 10)}))

    assert once is not None
    assert again is not None
    assert (again.count, again.of, again.value) == (190, 200, 0.95)
    assert (again.low, again.high) == (once.low, once.high)


def test_between_whole_rows_the_interval_is_the_wider_one() -> None:
    rate = passed(Checked(30, 25), 10)  # 8 and a third of 10 rows

    assert (rate.low, rate.high) == (wilson(8, 10).low, wilson(9, 10).high)


def test_an_arm_of_nothing_has_figures_too() -> None:
    summary = arm_summary("a", ArmTotals(), Slo())

    assert (summary.duration_s, summary.requests_per_s, summary.latency) == (0, 0, None)


def test_milliseconds_of_microseconds() -> None:
    found = distribution(Histogram.of([1_000] * 99 + [2_000]))

    assert found is not None
    assert (found.count, found.minimum, found.maximum) == (100, 1.0, 2.0)
    assert found.mean == pytest.approx(1.01)
    assert [one.level for one in found.percentiles] == [0.5, 0.9, 0.95, 0.99]
    assert distribution(Histogram()) is None


def test_a_second_in_which_nothing_ended_is_in_the_timeline() -> None:
    aggregate = Aggregate(timeline={3: Second(2, 1, 6_000), 5: Second(0, 1, 0)})

    assert timeline(aggregate) == (
        Point(second=3, answered=2, failed=1, mean_latency_ms=3.0),
        Point(second=4, answered=0, failed=0, mean_latency_ms=None),
        Point(second=5, answered=0, failed=1, mean_latency_ms=None),
    )
    assert timeline(Aggregate()) == ()
