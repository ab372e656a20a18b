"""Means of paired measurements: token counts, scores, characters.

The reference comes first, the candidate second. Items are taken as independent, which answers to
different prompts are and latencies of one run are not (see `harness.statistics.blocks`).
"""

import math
from collections.abc import Sequence
from statistics import fmean, stdev, variance

from harness.statistics.interval import Interval


def mean_difference(
    reference: Sequence[float], candidate: Sequence[float], level: float = 0.95
) -> Interval | None:
    """Mean of candidate minus reference, with Student's t interval. None below two pairs."""
    differences = [new - old for old, new in zip(reference, candidate, strict=True)]
    return mean(differences, level)


def mean(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """With Student's t interval. None below two values."""
    if len(values) < 2:  # noqa: PLR2004
        return None
    value = fmean(values)
    half = _t(len(values), level) * stdev(values, value) / math.sqrt(len(values))
    return Interval(value=value, low=value - half, high=value + half, level=level)


def ratio_of_means(
    reference: Sequence[float], candidate: Sequence[float], level: float = 0.95
) -> Interval | None:
    """Mean of the candidate over mean of the reference, with Fieller's interval.

    The interval holds every ratio r for which candidate - r * reference may have the mean 0
    (Fieller, JRSS B 16, 1954). None below two pairs, and where the reference's mean is not told
    from 0, so that a ratio means nothing.
    """
    pairs = len(reference)
    if pairs != len(candidate):
        raise ValueError(f"{pairs} values can't be paired with {len(candidate)}")
    if pairs < 2:  # noqa: PLR2004
        return None
    below, above = fmean(reference), fmean(candidate)
    scale = _t(pairs, level) ** 2 / pairs
    products = ((x - below) * (y - above) for x, y in zip(reference, candidate, strict=True))
    covariance = math.fsum(products) / (pairs - 1)
    square = below**2 - scale * variance(reference, below)
    if square <= 0:
        return None
    linear = below * above - scale * covariance
    constant = above**2 - scale * variance(candidate, above)
    root = math.sqrt(max(0.0, linear**2 - square * constant))
    return Interval(
        value=above / below,
        low=(linear - root) / square,
        high=(linear + root) / square,
        level=level,
    )


def _t(values: int, level: float) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415  # slow to import

    return float(stdtrit(values - 1, (1 + level) / 2))
