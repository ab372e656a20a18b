"""Percentiles of histograms, and the ranks that enclose them."""

import random

import pytest
from scipy.stats import binom

from harness.histogram import Histogram
from harness.statistics.quantiles import FEWEST, LEVELS, fewest, interval_ranks, percentile


def test_as_many_values_are_asked_for_as_the_published_tables_say() -> None:
    assert {level: FEWEST[level] for level in (0.95, 0.99, 0.999)} == {
        0.95: 72,
        0.99: 368,
        0.999: 3688,
    }


def test_a_percentile_is_the_value_of_its_rank_in_milliseconds() -> None:
    found = percentile(Histogram.of(range(1, 101)), 0.9)
    assert found is not None
    assert (found.level, found.value) == (0.9, 0.090)
    assert (found.low, found.high) == (0.084, 0.096)


def test_one_value_fewer_than_needed_gives_no_interval() -> None:
    without, with_one = (
        percentile(Histogram.of(range(count)), 0.99) for count in (FEWEST[0.99] - 1, FEWEST[0.99])
    )
    assert without is not None
    assert with_one is not None
    assert (without.low, without.high) == (None, None)
    assert with_one.low is not None
    assert with_one.high is not None
    assert with_one.low < with_one.value < with_one.high


@pytest.mark.parametrize(("count", "level"), [(0, 0.5), (1, 0.5), (99, 0.99), (19, 0.95)])
def test_what_can_not_be_told_from_the_largest_value_is_left_out(count: int, level: float) -> None:
    assert percentile(Histogram.of(range(count)), level) is None


@pytest.mark.parametrize(("count", "level", "rank"), [(100, 0.99, 99), (20, 0.95, 19)])
def test_the_first_count_that_tells_it_from_the_largest_is_enough(
    count: int, level: float, rank: int
) -> None:
    found = percentile(Histogram.of(range(1, count + 1)), level)
    assert found is not None
    assert found.value == rank / 1_000


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile(Histogram.of([1, 2, 3]), level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("more", [0, 1, 500, 1_000_000])
def test_ranks_are_the_tightest_with_at_most_a_fortieth_in_each_tail(
    level: float, more: int
) -> None:
    total = fewest(level) + more
    low, high = interval_ranks(total, level)
    below = binom(total, level)
    assert below.cdf(low - 1) <= 0.025 + 1e-9 < below.cdf(low)
    assert below.sf(high - 1) <= 0.025 + 1e-9 < below.sf(high - 2)


def test_ranks_of_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="367 values"):
        interval_ranks(367, 0.99)


def test_independent_values_are_covered_as_promised() -> None:
    draw = random.Random(1)
    truth, covered, runs = 950_000, 0, 400
    for _ in range(runs):
        found = percentile(Histogram.of(draw.randrange(1_000_000) for _ in range(200)), 0.95)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth / 1_000 <= found.high
    assert covered / runs >= 0.93
