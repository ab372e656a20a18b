"""Percentiles of a histogram, with intervals by order statistics.

The number of values below the true percentile is binomial, whatever the distribution, so two ranks
enclose it with at least the probability asked for (David and Nagaraja, Order Statistics, 3rd ed.,
7.1). That holds for independent values: latencies of one run are correlated, so such an interval is
shown and gates nothing; shifts are judged by `harness.statistics.blocks`.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from harness.histogram import Histogram
from harness.summary import Percentile

LEVELS: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
CONFIDENCE: Final = 0.95
_US_PER_MS: Final = 1_000
_NEGLIGIBLE: Final = 1e-18
_ROUNDING: Final = 1e-9
"""0.07 * 100 is a little above 7, and its rank is 7 all the same."""


def fewest(level: float, confidence: float = CONFIDENCE) -> int:
    """How many values it takes for an interval with both ends.

    Fewer, and all of them lie on one side of the percentile more often than a tail may.
    """
    tail = (1 - confidence) / 2
    return math.ceil(math.log(tail) / math.log(max(level, 1 - level)))


FEWEST: Final[Mapping[float, int]] = MappingProxyType({level: fewest(level) for level in LEVELS})
"""72 for p95, 368 for p99, 3,688 for p99.9."""


def percentile(histogram: Histogram, level: float) -> Percentile | None:
    """Of a histogram of microseconds, in milliseconds.

    None where there are too few values to tell it from the largest one; without an interval below
    `fewest(level)` values.
    """
    if not 0 < level < 1:
        raise ValueError(f"a percentile's level lies between 0 and 1, got {level}")
    total = histogram.total
    rank = max(1, math.ceil(level * total - _ROUNDING))
    if rank >= total:
        return None
    value = histogram.at_rank(rank) / _US_PER_MS
    if total < fewest(level):
        return Percentile(level=level, value=value)
    low, high = interval_ranks(total, level)
    return Percentile(
        level=level,
        value=value,
        low=histogram.at_rank(low) / _US_PER_MS,
        high=histogram.at_rank(high) / _US_PER_MS,
    )


@lru_cache(maxsize=256)
def interval_ranks(total: int, level: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """The ranks, from 1, of the values that enclose the percentile.

    Raises ValueError where `total` is too small for that.
    """
    if total < fewest(level, confidence):
        raise ValueError(f"{total} values give no interval for the percentile at {level}")
    tail = (1 - confidence) / 2
    first, chances = _binomial(total, level)
    low, below = first, 0.0
    for chance in chances:  # the most values below the percentile that are a tail at most
        if below + chance > tail:
            break
        below += chance
        low += 1
    high, above = first + len(chances), 0.0
    for chance in reversed(chances):
        if above + chance > tail:
            break
        above += chance
        high -= 1
    return max(1, low), min(total, high)


def _binomial(total: int, level: float) -> tuple[int, list[float]]:
    """The distribution where it is not negligible: its first value, and the probabilities.

    By ratios of neighbours outwards from the mode, so that nothing under- or overflows.
    """
    mode = min(total, int((total + 1) * level))
    odds = level / (1 - level)
    up, weight, value = [1.0], 1.0, mode
    while value < total and weight > _NEGLIGIBLE:
        weight *= (total - value) / (value + 1) * odds
        value += 1
        up.append(weight)
    down: list[float] = []
    weight, value = 1.0, mode
    while value > 0 and weight > _NEGLIGIBLE:
        weight *= value / ((total - value + 1) * odds)
        value -= 1
        down.append(weight)
    weights = [*reversed(down), *up]
    whole = math.fsum(weights)
    return value, [weight / whole for weight in weights]
