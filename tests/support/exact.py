"""Probabilities that need no drawing."""

from scipy.stats import binom

from harness.statistics.paired import Flips, rate_ratio


def ratio_passed_at(limit: float, items: int) -> float:
    """How often a candidate that is exactly at the limit is taken for one that keeps it, where the
    reference passes all items and the candidate each with that probability.
    """
    passed = 0.0
    for lost in range(items + 1):
        found = rate_ratio(Flips(both=items - lost, lost=lost))
        if found is None or found.low < limit:
            break  # with more lost it is lower still
        passed += float(binom.pmf(lost, items, 1 - limit))
    return passed
