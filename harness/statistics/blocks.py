"""How much faster or slower: paired latencies, which follow one another and so are not independent.

An interval that takes correlated latencies for independent ones covers half of what it says. Here
pairs that follow one another are grouped into a few long blocks, and the interval is Student's over
one figure a block (batch means: Law, Simulation Modeling and Analysis, 5th ed., 9.5.3). Where each
latency is 0.9 times the last one plus noise, a median is covered at 93 % and more from 300
pairs on, p95 from 1,000.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.statistics import means
from harness.statistics.interval import Interval

BLOCKS: Final = 6
"""More of them would be shorter, and so less independent: with 12 only 89 % are covered."""
_ABOVE: Final = 5
"""Pairs in a block, beyond the percentile and below it at least."""
_LENGTHS: Final = 2
"""A block is at least so many times as long as the correlation lasts."""
_WINDOW: Final = 5

Numbers = NDArray[np.float64]


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
    if not _enough(new - old, percentile):
        return None
    olds, news = (_by_block(side, percentile) for side in (old, new))
    difference = means.mean((news - olds).tolist())
    logarithm = means.mean(np.log(news / olds).tolist())
    if difference is None or logarithm is None:
        return None
    return Shift(
        percentile=percentile,
        pairs=old.size,
        blocks=BLOCKS,
        correlation=correlation_length(new - old),
        difference=difference,
        ratio=Interval(
            value=math.exp(logarithm.value),
            low=math.exp(logarithm.low),
            high=math.exp(logarithm.high),
        ),
    )


def level(values: Sequence[float], percentile: float) -> Interval | None:
    """One percentile of correlated values in the order of time, with Student's interval over the
    blocks' own. None as for `shift`.
    """
    sequence = np.asarray(values, float)
    if not _enough(sequence, percentile):
        return None
    spread = means.mean([float(one) for one in _by_block(sequence, percentile)])
    if spread is None:
        return None
    value = float(np.quantile(sequence, percentile))
    half = (spread.high - spread.low) / 2
    return Interval(value=value, low=value - half, high=value + half)


def fewest(percentile: float) -> int:
    """Pairs that it takes: 60 for a median, 600 for p95."""
    return BLOCKS * math.ceil(_ABOVE / min(percentile, 1 - percentile) - 1e-9)


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


def _enough(values: Numbers, percentile: float) -> bool:
    if values.size < fewest(percentile):
        return False
    return values.size / BLOCKS >= _LENGTHS * correlation_length(values)


def _by_block(values: Numbers, percentile: float) -> Numbers:
    return np.array([np.quantile(block, percentile) for block in np.array_split(values, BLOCKS)])
