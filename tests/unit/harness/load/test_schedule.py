import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PlanError
from harness.load.schedule import NEVER, NS_PER_S, planned_at, planned_count
from harness.plan import Arrivals, Burst, Closed, Constant, Load, Poisson, Ramp, Steps


def _times(arrivals: Arrivals, upto: int, duration_s: float | None = None) -> list[float]:
    load = Load(arrivals=arrivals, duration_s=duration_s, count=None if duration_s else upto)
    at = planned_at(load, 7)
    assert at is not None
    return [at(index) / NS_PER_S for index in range(upto)]


def test_a_constant_rate_is_exact_however_far_out() -> None:
    at = planned_at(Load(arrivals=Constant(rate=2000), count=1), 0)
    assert at is not None
    assert [at(index) for index in (0, 1, 2000, 10**12)] == [
        0,
        500_000,
        NS_PER_S,
        5 * 10**8 * NS_PER_S,
    ]


def test_a_burst_is_at_one_moment_and_the_next_follows_later() -> None:
    assert _times(Burst(size=3, every_s=2.5), 7) == [0, 0, 0, 2.5, 2.5, 2.5, 5]


def test_steps_hold_each_rate_for_an_equal_part() -> None:
    load = Load(arrivals=Steps(rates=(1, 4)), duration_s=4)
    assert planned_count(load, 0) == 10
    assert _times(load.arrivals, 10, 4) == [0, 1, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75]


def test_beyond_the_last_step_nothing_is_planned() -> None:
    at = planned_at(Load(arrivals=Steps(rates=(1,)), duration_s=4), 0)
    assert at is not None
    assert at(4) == NEVER


@pytest.mark.parametrize(("first", "last"), [(0, 10), (10, 30), (30, 10), (5, 5)])
def test_a_ramp_plans_what_is_under_its_line(first: float, last: float) -> None:
    load = Load(arrivals=Ramp(from_rate=first, to_rate=last), duration_s=20)
    count = planned_count(load, 0)
    assert count is not None
    assert abs(count - 20 * (first + last) / 2) <= 1
    for index, moment in enumerate(_times(load.arrivals, count, 20)):
        area = first * moment + (last - first) * moment**2 / 40
        assert area == pytest.approx(index, abs=1e-5)


def test_poisson_arrivals_have_the_mean_and_the_spread_of_their_rate() -> None:
    times = _times(Poisson(rate=50), 20_000)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.02, rel=0.03)
    assert math.sqrt(variance) == pytest.approx(0.02, rel=0.05)


def test_counts_of_poisson_arrivals_over_blocks_vary_as_they_should() -> None:
    """Were the blocks' lengths not drawn, the counts of long windows would hardly vary."""
    window, counts = 2000, []
    for seed in range(4):
        at = planned_at(Load(arrivals=Poisson(rate=1), count=1), seed)
        assert at is not None
        seen = Counter(at(index) // (window * NS_PER_S) for index in range(200_000))
        counts += [seen[number] for number in range(max(seen))]
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert variance / mean == pytest.approx(1, abs=0.3)


_ANY = st.sampled_from(
    [Constant(rate=333.3), Poisson(rate=80), Burst(size=7, every_s=0.3), Poisson(rate=0.01)]
)


@given(arrivals=_ANY, index=st.integers(0, 5000), seed=st.integers(0, 2**53))
def test_a_time_is_the_same_whoever_computes_it_and_times_never_decrease(
    arrivals: Arrivals, index: int, seed: int
) -> None:
    load = Load(arrivals=arrivals, count=1)
    one, other = planned_at(load, seed), planned_at(load, seed)
    assert one is not None
    assert other is not None
    before = [one(number) for number in range(max(0, index - 3), index + 1)]
    assert before[-1] == other(index)
    assert before == sorted(before)


@pytest.mark.parametrize("arrivals", [Constant(rate=7), Poisson(rate=7), Burst(size=3, every_s=1)])
def test_a_duration_plans_exactly_what_falls_within_it(arrivals: Arrivals) -> None:
    load = Load(arrivals=arrivals, duration_s=10)
    count, at = planned_count(load, 3), planned_at(load, 3)
    assert count is not None
    assert at is not None
    assert at(count - 1) < 10 * NS_PER_S <= at(count)


def test_other_seeds_draw_other_times() -> None:
    load = Load(arrivals=Poisson(rate=10), count=1)
    one, other = planned_at(load, 1), planned_at(load, 2)
    assert one is not None
    assert other is not None
    assert one(10) != other(10)


def test_a_closed_loop_has_no_times_and_by_duration_no_count() -> None:
    load = Load(arrivals=Closed(concurrency=3), duration_s=5)
    assert planned_at(load, 0) is None
    assert planned_count(load, 0) is None
    assert planned_count(Load(arrivals=Closed(concurrency=3), count=9), 0) == 9


def test_a_duration_in_which_nothing_falls_is_refused() -> None:
    with pytest.raises(PlanError, match="raise the rate or the duration"):
        planned_count(Load(arrivals=Poisson(rate=0.001), duration_s=0.001), 0)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (Load(arrivals=Closed(concurrency=1), count=10**20), "more than 100,000,000 requests"),
        (Load(arrivals=Burst(size=1, every_s=1e-12), duration_s=1), "more than 100,000,000"),
        (Load(arrivals=Constant(rate=1e9), duration_s=1e9), "more than 100,000,000 requests"),
        (Load(arrivals=Constant(rate=1e-300), count=2), "more than 30 years"),
    ],
)
def test_what_no_run_could_send_or_wait_for_is_refused(load: Load, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        planned_count(load, 0)
