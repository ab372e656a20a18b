"""How much faster or slower: paired latencies, which follow one another and so are not independent.

An interval that takes correlated latencies for independent ones covers half of what it says. Here
pairs that follow one another are grouped into a few long blocks, and the interval is Student's over
one figure a block (batch means: Law, Simulation Modeling and Analysis, 5th ed., 9.5.3), widened for
what neighbouring blocks have in common. One side's percentile is covered at 93 % and more from
`fewest_values` on where each latency is up to 0.9 times the last one plus noise. Fewer pairs than
300 are answered for only where differences follow one another little: up to 0.5 times the last.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.statistics import means
from harness.statistics.interval import Interval

BLOCKS: Final = 6
"""More of them would be shorter, and so less independent: with 12 only 89 % are covered."""
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
    wider = _widening(new - old) if old.size >= fewest(percentile) else None
    if wider is None:
        return None
    olds, news = (_by_block(side, percentile) for side in (old, new))
    difference = _mean(news - olds, wider)
    logarithm = _mean(np.log(news / olds), wider)
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
    blocks' own. None below `fewest_values(percentile)`, and where correlation lasts as for `shift`.

    Values may be infinite. Where a block's percentile is, the interval reaches from the smallest of
    the blocks' to the largest: six independent ones enclose their median at 97 %.
    """
    sequence = np.asarray(values, float)
    wider = _widening(_finite(sequence)) if sequence.size >= fewest_values(percentile) else None
    if wider is None:
        return None
    found = _by_block(sequence, percentile, "inverted_cdf")
    value = float(np.quantile(sequence, percentile, method="inverted_cdf"))
    if not np.isfinite(found).all():
        return Interval(value=value, low=float(np.min(found)), high=math.inf)
    spread = _mean(found, wider)
    half = (spread.high - spread.low) / 2
    return Interval(value=value, low=value - half, high=value + half)


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


def _widening(values: Numbers) -> float | None:
    """How much wider correlated blocks make an interval; None where correlation lasts too long.

    Blocks of n values that are a times the last one plus noise have a mean whose variance the
    spread between them understates by the share t / 2n, where t is the correlation's length.
    """
    length = max(correlation_length(values), _length_by_neighbours(values))
    share = length * BLOCKS / values.size
    return 1 / math.sqrt(1 - share / 2) if share * _LENGTHS <= 1 else None


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


def _mean(figures: Numbers, wider: float) -> Interval:
    found = means.mean(figures.tolist())
    assert found is not None  # noqa: S101  # there are BLOCKS figures
    half = wider * (found.high - found.value)
    return Interval(value=found.value, low=found.value - half, high=found.value + half)


def _finite(values: Numbers) -> Numbers:
    """For their correlation: what is infinite as twice the largest that isn't."""
    known = np.isfinite(values)
    return np.where(known, values, 2 * np.max(values[known]) if known.any() else 1.0)


def _by_block(values: Numbers, percentile: float, method: _Method = "linear") -> Numbers:
    blocks = np.array_split(values, BLOCKS)
    return np.array([np.quantile(block, percentile, method=method) for block in blocks])
