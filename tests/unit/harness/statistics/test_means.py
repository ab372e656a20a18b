"""Means of paired measurements, and their ratio."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from harness.statistics.means import mean_difference, ratio_of_means


def test_the_difference_has_students_interval() -> None:
    old, new = [10.0, 12.0, 9.0, 14.0], [11.0, 15.0, 9.0, 15.0]
    expected = ttest_rel(new, old).confidence_interval(0.95)
    found = mean_difference(old, new)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx(
        (1.25, expected.low, expected.high)
    )


def test_an_exact_ratio_is_found_exactly() -> None:
    found = ratio_of_means([20, 21, 22], [18, 18.9, 19.8])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.9, 0.9, 0.9), rel=1e-5)


def test_a_reference_that_may_be_zero_on_average_has_no_ratio() -> None:
    assert ratio_of_means([-5, 5, 4, -4], [1, 2, 3, 4]) is None


def test_one_pair_has_no_interval() -> None:
    assert ratio_of_means([1.0], [2.0]) is None
    assert mean_difference([1.0], [2.0]) is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="paired with 1"):
        ratio_of_means([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="shorter"):
        mean_difference([1.0, 2.0], [1.0])


def test_skewed_correlated_lengths_are_covered() -> None:
    draw = np.random.default_rng(3)
    runs, covered_ratio, covered_difference = 600, 0, 0
    for _ in range(runs):
        common = 0.5 * draw.normal(size=60)
        old, new = (
            factor * np.exp(4 + common + 0.3 * draw.normal(size=60)) for factor in (1.0, 0.95)
        )
        ratio = ratio_of_means(old.tolist(), new.tolist())
        difference = mean_difference(old.tolist(), new.tolist())
        assert ratio is not None
        assert difference is not None
        covered_ratio += not ratio.excludes(0.95)
        covered_difference += not difference.excludes(-0.05 * np.exp(4 + 0.25 / 2 + 0.09 / 2))
    assert covered_ratio / runs >= 0.93
    assert covered_difference / runs >= 0.93
