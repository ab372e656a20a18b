"""Intervals that may be watched: right at every step at once, so looking often costs nothing.

A t-test looked at 40 times raises a false alarm in 30 of 100 runs in which nothing differs. A
confidence sequence holds the mean at all steps together with the probability asked for.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, Self

import numpy as np

from harness.statistics.interval import Interval

_GRID: Final = 1_000
_TRUNCATION: Final = 0.5
"""No bet risks more than half of what could be lost at once."""


class ConfidenceSequence:
    """For the mean of values within known bounds, by hedged betting.

    Against every candidate mean m one bets that values come above it, and one that they come below;
    who grows rich against m has shown that m is not the mean (Waudby-Smith and Ramdas, JRSS B 86,
    2024, theorem 3, with the predictable plug-in bets of its equation 26). Values must be drawn
    alike, given the past, in their mean; they need not be independent or of any distribution.
    """

    def __init__(self, low: float = -1.0, high: float = 1.0, level: float = 0.95) -> None:
        if not (low < high and 0 < level < 1):
            raise ValueError(f"no values lie between {low} and {high}, or {level} is no level")
        self.level = level
        self._low, self._span = low, high - low
        self._means = np.linspace(0, 1, _GRID + 1)
        with np.errstate(divide="ignore"):
            self._most_up = _TRUNCATION / self._means
            self._most_down = _TRUNCATION / (1 - self._means)
        self._up = np.zeros(_GRID + 1)
        self._down = np.zeros(_GRID + 1)
        self._possible = (0, _GRID)
        self._count = 0
        self._sum = 0.0
        self._spread = 0.25

    @classmethod
    def of(
        cls, values: Iterable[float], low: float = -1.0, high: float = 1.0, level: float = 0.95
    ) -> Self:
        sequence = cls(low, high, level)
        for value in values:
            sequence.add(value)
        return sequence

    @property
    def count(self) -> int:
        return self._count

    def add(self, value: float) -> None:
        """Raises ValueError for a value out of bounds: nothing holds for those."""
        x = (value - self._low) / self._span
        if not 0 <= x <= 1:
            raise ValueError(f"{value} is not between {self._low:g} and {self._low + self._span:g}")
        bet = self._bet()
        first, last = self._possible
        still = slice(first, last + 1)
        above = x - self._means[still]
        self._up[still] += np.log1p(np.minimum(bet, self._most_up[still]) * above)
        self._down[still] += np.log1p(np.minimum(bet, self._most_down[still]) * -above)
        self._count += 1
        self._sum += x
        self._spread += (x - self._mean()) ** 2
        self._narrow()

    def interval(self) -> Interval:
        """Of all steps so far together. Before the first value it is everything."""
        first, last = self._possible
        low, high = self._low + self._span * self._means[[first, last]]
        mean = self._sum / self._count if self._count else 0.5
        value = self._low + self._span * mean
        return Interval(value=value, low=float(low), high=float(high), level=self.level)

    def _bet(self) -> float:
        """From the past alone: large where values have varied little."""
        step = self._count + 1
        variance = self._spread / step
        return math.sqrt(2 * math.log(2 / (1 - self.level)) / (variance * step * math.log1p(step)))

    def _mean(self) -> float:
        return (0.5 + self._sum) / (self._count + 1)

    def _narrow(self) -> None:
        """Step over means that were shown wrong, and stay on the last of them: the grid is coarse.

        What was excluded once stays excluded.
        """
        enough = math.log(2 / (1 - self.level))
        first, last = self._possible
        while first < last and self._up[first + 1] >= enough:
            first += 1
        while last > first and self._down[last - 1] >= enough:
            last -= 1
        self._possible = (first, last)


def difference(reference: Interval, candidate: Interval) -> Interval:
    """Candidate minus reference, of two that were watched apart.

    Each end is the worst case, so with two intervals of level 97.5 % it holds at 95 %.
    """
    return Interval(
        value=candidate.value - reference.value,
        low=candidate.low - reference.high,
        high=candidate.high - reference.low,
        level=round(reference.level + candidate.level - 1, 6),
    )


def median(values: Sequence[float], level: float = 0.95) -> Interval | None:
    """With an interval that may be watched; None where there are too few for both ends.

    By a bound on the whole distribution function that holds at every step (Howard and Ramdas,
    Bernoulli 28, 2022, equation 5).
    """
    count = len(values)
    if not count:
        return None
    steps = math.log(math.log(math.e * count)) if count > 1 else 0.0
    margin = 0.85 * math.sqrt((steps + 0.8 * math.log(1612 / (1 - level))) / count)
    low, high = math.floor(count * (0.5 - margin)), math.ceil(count * (0.5 + margin)) + 1
    if low < 1 or high > count:
        return None
    ordered = sorted(values)
    middle = ordered[(count + 1) // 2 - 1]
    return Interval(value=middle, low=ordered[low - 1], high=ordered[high - 1], level=level)
