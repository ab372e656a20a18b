"""Pass rates of two models on the same rows."""

from collections.abc import Mapping

from harness.recovery.results import Quality
from harness.statistics.paired import Flips, mcnemar, rate_difference, rate_ratio
from harness.statistics.proportions import wilson


def quality(reference: Mapping[str, bool], other: Mapping[str, bool]) -> Quality | None:
    """Of prompt_id -> passed, the same rows in both; None where no row has checks."""
    if not reference:
        return None
    flips = Flips.of((passed, other[row]) for row, passed in reference.items())
    return Quality(
        rows=flips.items,
        reference=wilson(flips.both + flips.lost, flips.items),
        other=wilson(flips.both + flips.gained, flips.items),
        recovery=rate_ratio(flips),
        difference=rate_difference(flips),
        lost=tuple(row for row, passed in reference.items() if passed and not other[row]),
        gained=tuple(row for row, passed in reference.items() if other[row] and not passed),
        p_value=mcnemar(flips),
    )
