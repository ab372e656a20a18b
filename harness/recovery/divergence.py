"""How many tokens two greedy answers have in common before they part."""

import itertools
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import stats

from harness.recovery.results import Divergence, SurvivalPoint

_LEVEL: Final = 0.95


def first_divergence(reference: Sequence[int], other: Sequence[int]) -> int | None:
    """Index of the first token that differs; None where the answers are the same.

    An answer that ends earlier differs where it ends.
    """
    for index, (one, two) in enumerate(itertools.zip_longest(reference, other)):
        if one != two:
            return index
    return None


def divergence(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Divergence | None:
    """Of pairs of answers; None where there are none.

    The share still identical after n tokens is Kaplan and Meier's (JASA 53, 1958): an answer that
    was the same to its end tells nothing about what would have come after.
    """
    if not pairs:
        return None
    parted = [(first_divergence(one, two), len(one)) for one, two in pairs]
    at = [index for index, _ in parted if index is not None]
    whole = [length for index, length in parted if index is None]
    return Divergence(
        answers=len(pairs),
        identical=len(whole),
        at=tuple(sorted(at)),
        survival=_survival(at, whole),
    )


def _survival(at: Sequence[int], whole: Sequence[int]) -> tuple[SurvivalPoint, ...]:
    start = SurvivalPoint(tokens=0, share=1.0, low=1.0, high=1.0)
    if not at:
        return (start, SurvivalPoint(tokens=max(whole), share=1.0, low=None, high=None))
    # Parting at index i means i common tokens, and not i + 1.
    times = stats.CensoredData(
        uncensored=np.array(at, dtype=float) + 1, right=np.array(whole, dtype=float)
    )
    survival = stats.ecdf(times).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where it has no interval it says nan
        interval = survival.confidence_interval(_LEVEL, method="log-log")
    points = zip(
        survival.quantiles,
        survival.probabilities,
        interval.low.probabilities,
        interval.high.probabilities,
        strict=True,
    )
    return (
        start,
        *(
            SurvivalPoint(tokens=int(n), share=float(s), low=_known(low), high=_known(high))
            for n, s, low, high in points
        ),
    )


def _known(bound: float) -> float | None:
    return None if np.isnan(bound) else float(bound)
