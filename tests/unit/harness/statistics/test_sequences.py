"""Intervals that are watched: no false alarm, and a real difference is found."""

import numpy as np
import pytest

from harness.statistics.interval import Interval
from harness.statistics.sequences import ConfidenceSequence, difference, median

STEPS = 400
SEEDS = 250


@pytest.mark.parametrize("agreeing", [0.6, 0.98])
def test_two_of_the_same_watched_at_every_step_are_rarely_called_different(
    agreeing: float,
) -> None:
    either = (1 - agreeing) / 2
    chances = (either, agreeing, either)
    draws = np.random.default_rng(11).choice([-1.0, 0.0, 1.0], p=chances, size=(SEEDS, STEPS))
    false = sum(_ever_excludes(0.0, row) for row in draws.tolist())
    assert false / SEEDS <= 0.05


def test_a_mean_that_is_not_in_the_middle_is_held_at_every_step() -> None:
    draws = np.random.default_rng(5).random((SEEDS, STEPS)) < 0.9
    false = sum(_ever_excludes(0.9, row, low=0.0) for row in draws.astype(float).tolist())
    assert false / SEEDS <= 0.05


def test_a_difference_is_found_and_the_side_is_right() -> None:
    draws = np.random.default_rng(2).choice([-1.0, 0.0, 1.0], p=(0.02, 0.78, 0.2), size=300)
    found = ConfidenceSequence.of(draws.tolist()).interval()
    assert found.low > 0
    assert found.low < found.value < found.high


def test_before_the_first_value_everything_is_possible() -> None:
    assert ConfidenceSequence(0, 10).interval() == Interval(value=5, low=0, high=10)


def test_what_was_excluded_stays_excluded() -> None:
    sequence = ConfidenceSequence.of([1.0] * 100)
    low = sequence.interval().low
    for _ in range(100):
        sequence.add(-1.0)
    assert sequence.interval().low >= low > 0
    assert sequence.count == 200


@pytest.mark.parametrize("value", [-1.01, 2.0, float("nan")])
def test_a_value_out_of_bounds_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not between -1 and 1"):
        ConfidenceSequence().add(value)


@pytest.mark.parametrize(("low", "high", "level"), [(1, 1, 0.95), (0, 1, 1.0)])
def test_bounds_that_hold_nothing_are_refused(low: float, high: float, level: float) -> None:
    with pytest.raises(ValueError, match="no level"):
        ConfidenceSequence(low, high, level)


def test_two_that_are_watched_apart_differ_by_the_worst_case() -> None:
    old = Interval(value=0.8, low=0.7, high=0.9, level=0.975)
    new = Interval(value=0.9, low=0.85, high=0.95, level=0.975)
    found = difference(old, new)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, -0.05, 0.25))
    assert found.level == 0.95


def test_a_watched_median_is_held_at_every_look() -> None:
    draws = np.random.default_rng(9).exponential(size=(200, 600))
    false = 0
    for row in draws.tolist():
        looks = (median(row[:count]) for count in range(100, 601, 20))
        false += any(look is not None and look.excludes(np.log(2)) for look in looks)
    assert false / 200 <= 0.05


def test_a_median_of_few_values_has_no_interval() -> None:
    assert median([]) is None
    assert median([1.0]) is None
    assert median([float(value) for value in range(20)]) is None


def _ever_excludes(truth: float, values: list[float], low: float = -1.0) -> bool:
    """The running intersection remembers an exclusion at any step."""
    return ConfidenceSequence.of(values, low=low, high=1.0).interval().excludes(truth)
