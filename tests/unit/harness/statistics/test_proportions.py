"""Wilson's interval of a share."""

import pytest
from scipy.stats import binomtest

from harness.statistics.proportions import wilson
from harness.summary import Rate


@pytest.mark.parametrize(("count", "of"), [(0, 10), (9, 10), (10, 10), (1, 1), (497, 1_000)])
def test_it_is_the_interval_that_scipy_computes(count: int, of: int) -> None:
    expected = binomtest(count, of).proportion_ci(method="wilson")
    found = wilson(count, of)
    assert (found.count, found.of, found.value) == (count, of, count / of)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


def test_none_of_many_is_exactly_zero_at_its_lower_end() -> None:
    assert wilson(0, 30).low == 0
    assert wilson(30, 30).high == 1


def test_of_nothing_everything_is_possible() -> None:
    assert wilson(0, 0) == Rate(count=0, of=0, value=0, low=0, high=1)


@pytest.mark.parametrize(("count", "of"), [(-1, 5), (6, 5)])
def test_what_is_no_part_of_the_whole_is_refused(count: int, of: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(count, of)
