"""Latencies and shares of requests that follow one another, and so are not independent.

An interval that takes correlated latencies for independent ones covers half of what it says. Here
those that follow one another are grouped into six long blocks, and the interval reaches from the
smallest of the blocks' figures to the largest: six independent ones enclose their median at 97 %,
whatever their distribution, one of two modes too (the sign test's interval: David and Nagaraja,
Order Statistics, 3rd ed., 7.1). One side's percentile is covered at 93 % and more from
`fewest_values` on where each latency is up to 0.9 times the last one plus noise, or slow phases
last for some twenty requests. Fewer pairs than 300 are answered for only where differences follow
one another little: up to 0.5 times the last.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.statistics.interval import Interval
from harness.statistics.proportions import wilson
from harness.summary import Rate

BLOCKS: Final = 6
"""Fewer enclose their median less often than 95 %: five do at 94 %. More would be shorter, and so
less independent."""
_ABOVE: Final = 5
"""Pairs in a block, beyond the percentile and below it at least."""
_ABOVE_ALONE: Final = 25
"""Values in a block, likewise. In pairs skew and shared load cancel; one side's don't."""
_LENGTHS: Final = 2
"""A block is at least so many times as long as the correlation lasts."""
_WINDOW: Final = 5

Numbers = NDArray[np.float64]
_Method = Literal["linear", "inverted_cdf"]
"""The latter is one of the values: between a finite one and an infinite one there is none."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Candidate against reference, at one percentile of each block."""

    percentile: float
    pairs: int
    blocks: int
    correlation: float
    """How many neighbouring pairs tell as much as one independent pair would; 1 is independent."""
    difference: Interval
    """Candidate minus reference, in the unit of the values."""
    ratio: Interval
    """Candidate over reference; below 1 it is faster."""


def shift(
    reference: Sequence[float], candidate: Sequence[float], percentile: float = 0.5
) -> Shift | None:
    """Pairs in the order of time.

    None below `fewest(percentile)` pairs, and where the correlation lasts for more than half
    a block. Raises ValueError where values can't be paired, or aren't above 0.
    """
    old, new = np.asarray(reference, float), np.asarray(candidate, float)
    if old.shape != new.shape:
        raise ValueError(f"{old.size} values can't be paired with {new.size}")
    if (old <= 0).any() or (new <= 0).any():
        raise ValueError("a latency is above 0")
    if old.size < fewest(percentile) or _lasts(new - old):
        return None
    olds, news = (_by_block(side, percentile) for side in (old, new))
    return Shift(
        percentile=percentile,
        pairs=old.size,
        blocks=BLOCKS,
        correlation=correlation_length(new - old),
        difference=_enclosed(news - olds),
        ratio=_enclosed(news / olds),
    )


def level(values: Sequence[float], percentile: float) -> Interval | None:
    """One percentile of correlated values in the order of time, which may be infinite.

    None below `fewest_values(percentile)`, and where correlation lasts as for `shift`.
    """
    sequence = np.asarray(values, float)
    if sequence.size < fewest_values(percentile) or _lasts(_finite(sequence)):
        return None
    found = _enclosed(_by_block(sequence, percentile, "inverted_cdf"))
    value = float(np.quantile(sequence, percentile, method="inverted_cdf"))
    return msgspec.structs.replace(found, value=value)


def share(held: Sequence[bool]) -> Rate:
    """The share of requests, in the order of time, of which something holds.

    The wider of Wilson's interval and the blocks' own; everything where the correlation lasts for
    more than half a block. It covers 93 % and more where 30 of either kind are to be expected and
    each latency is up to 0.9 times the last one plus noise. Fewer than 60 requests are taken as
    independent: their blocks are too short to tell.
    """
    rate = wilson(sum(held), len(held))
    if len(held) < fewest(0.5):
        return rate
    values = np.asarray(held, float)
    if _lasts(values):
        return msgspec.structs.replace(rate, low=0.0, high=1.0)
    found = [float(block.mean()) for block in np.array_split(values, BLOCKS)]
    return msgspec.structs.replace(rate, low=min(rate.low, *found), high=max(rate.high, *found))


def fewest(percentile: float) -> int:
    """Pairs that it takes: 60 for a median, 600 for p95."""
    return _fewest(_ABOVE, percentile)


def fewest_values(percentile: float) -> int:
    """Values of one side that it takes: 300 for a median, 3,000 for p95, 15,000 for p99."""
    return _fewest(_ABOVE_ALONE, percentile)


def correlation_length(values: Numbers) -> float:
    """Integrated autocorrelation time, in values: the variance of their mean over what it would be
    were they independent (Sokal's automatic window). At least 1.
    """
    centred = values - values.mean()
    size = values.size
    spectrum = np.fft.rfft(centred, 2 * size)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2)[:size]
    if covariance[0] <= 0:
        return 1.0
    lengths = 2 * np.cumsum(covariance / covariance[0]) - 1
    wide_enough = np.arange(size) >= _WINDOW * lengths
    window = int(np.argmax(wide_enough)) if wide_enough.any() else size - 1
    return max(1.0, float(lengths[window]))


def _fewest(above: int, percentile: float) -> int:
    return BLOCKS * math.ceil(above / min(percentile, 1 - percentile) - 1e-9)


def _lasts(values: Numbers) -> bool:
    """Does the correlation last for more than half a block, so that blocks are not independent?"""
    length = max(correlation_length(values), _length_by_neighbours(values))
    return length * BLOCKS * _LENGTHS > values.size


def _length_by_neighbours(values: Numbers) -> float:
    """The correlation's length if each value is a times the last one plus noise.

    A short sequence understates a; that is made up for (Kendall, Biometrika 41, 1954).
    """
    centred = values - values.mean()
    whole = float(centred @ centred)
    if whole <= 0:
        return 1.0
    a = float(centred[1:] @ centred[:-1]) / whole
    a += (1 + 4 * a) / values.size
    return (1 + a) / (1 - a) if a < 1 else math.inf


def _enclosed(figures: Numbers) -> Interval:
    """By the smallest and the largest of the blocks'."""
    return Interval(
        value=float(np.median(figures)), low=float(np.min(figures)), high=float(np.max(figures))
    )


def _finite(values: Numbers) -> Numbers:
    """For their correlation: what is infinite as twice the largest that isn't."""
    known = np.isfinite(values)
    return np.where(known, values, 2 * np.max(values[known]) if known.any() else 1.0)


def _by_block(values: Numbers, percentile: float, method: _Method = "linear") -> Numbers:
    blocks = np.array_split(values, BLOCKS)
    return np.array([np.quantile(block, percentile, method=method) for block in blocks])
