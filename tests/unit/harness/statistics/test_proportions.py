"""Wilson's interval of a share, corrected where there are few of a kind."""

import pytest
from scipy.stats import binom, binomtest, chi2

from harness.statistics.proportions import wilson
from harness.summary import Rate


@pytest.mark.parametrize(("count", "of"), [(0, 10), (6, 10), (10, 10), (497, 1_000)])
def test_it_is_the_interval_that_scipy_computes(count: int, of: int) -> None:
    expected = binomtest(count, of).proportion_ci(method="wilson")
    found = wilson(count, of)
    assert (found.count, found.of, found.value) == (count, of, count / of)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


@pytest.mark.parametrize("of", [8, 17, 60, 250])
def test_it_covers_rare_shares_too(of: int) -> None:
    """Coverage is least right beside an end, where an interval begins or stops to hold a share."""
    intervals = [wilson(count, of) for count in range(of + 1)]
    ends = {end for one in intervals for end in (one.low, one.high) if 0 < end < 1}
    for share in (end + off for end in ends for off in (-1e-9, 1e-9)):
        held = (at for at, one in enumerate(intervals) if one.low <= share <= one.high)
        assert sum(binom.pmf(count, of, share) for count in held) >= (0.9 if of < 40 else 0.92)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_nearer_end_of_a_few_is_a_poisson_limit(count: int) -> None:
    expected = chi2.ppf(0.05, 2 * count) / 2 / 500
    assert wilson(count, 500).low == pytest.approx(expected, rel=1e-9)
    assert wilson(500 - count, 500).high == pytest.approx(1 - expected, rel=1e-9)


def test_none_of_many_is_exactly_zero_at_its_lower_end() -> None:
    assert wilson(0, 30).low == 0
    assert wilson(30, 30).high == 1


def test_of_nothing_everything_is_possible() -> None:
    assert wilson(0, 0) == Rate(count=0, of=0, value=0, low=0, high=1)


@pytest.mark.parametrize(("count", "of"), [(-1, 5), (6, 5)])
def test_what_is_no_part_of_the_whole_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(count, of)
