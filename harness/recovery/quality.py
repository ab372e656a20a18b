"""Pass rates of two models on the same rows."""

import math
from collections.abc import Mapping
from typing import Final

from harness.recovery.results import Quality
from harness.statistics.interval import Interval
from harness.statistics.paired import Flips, mcnemar, rate_difference
from harness.statistics.proportions import normal_quantile, wilson

_LEVEL: Final = 0.95


def quality(reference: Mapping[str, bool], other: Mapping[str, bool]) -> Quality | None:
    """Of prompt_id -> passed, the same rows in both; None where no row has checks."""
    if not reference:
        return None
    flips = Flips.of((passed, other[row]) for row, passed in reference.items())
    return Quality(
        rows=flips.items,
        reference=wilson(flips.both + flips.lost, flips.items),
        other=wilson(flips.both + flips.gained, flips.items),
        recovery=ratio(flips),
        difference=rate_difference(flips),
        lost=tuple(row for row, passed in reference.items() if passed and not other[row]),
        gained=tuple(row for row, passed in reference.items() if other[row] and not passed),
        p_value=mcnemar(flips),
    )


def ratio(flips: Flips) -> Interval | None:
    """Of two pass rates on the same rows, with the hybrid score interval of Bonett and Price.

    (Statistics in Medicine 25, 2006, 3039.) Rows that both fail say nothing about the ratio. None
    where the reference passes nothing.
    """
    reference, other = flips.both + flips.lost, flips.both + flips.gained
    if reference == 0:
        return None
    seen = flips.both + flips.lost + flips.gained
    spread = math.sqrt((flips.lost + flips.gained + 2) / ((reference + 1) * (other + 1)))
    separate = sum(
        math.sqrt((1 - (passed + 1) / (seen + 2)) / (passed + 1)) for passed in (reference, other)
    )
    z = normal_quantile((1 + _LEVEL) / 2) * spread / separate
    reference_low, reference_high = _score_bounds(reference, seen, z)
    other_low, other_high = _score_bounds(other, seen, z)
    return Interval(
        value=other / reference,
        low=other_low / reference_high,
        high=other_high / reference_low,
    )


def _score_bounds(count: int, of: int, z: float) -> tuple[float, float]:
    middle = 2 * count + z * z
    half = z * math.sqrt(z * z + 4 * count * (1 - count / of))
    return (middle - half) / (2 * (of + z * z)), (middle + half) / (2 * (of + z * z))
