"""The same items answered by two: did answers change, and by how much?

The reference comes first, the candidate second, and a difference is candidate minus reference.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import fmean, pvariance, variance
from typing import Final, Self

import msgspec

from harness.statistics.interval import Interval
from harness.statistics.proportions import normal_quantile

_HALVINGS: Final = 60
_FEWEST_FLIPS: Final = 10


class Flips(msgspec.Struct, frozen=True, kw_only=True):
    """How many items each of them passed."""

    both: int = 0
    lost: int = 0
    """Passed by the reference alone."""
    gained: int = 0
    """Passed by the candidate alone."""
    neither: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Self:
        both = lost = gained = neither = 0
        for reference, candidate in pairs:
            both += reference and candidate
            lost += reference and not candidate
            gained += candidate and not reference
            neither += not reference and not candidate
        return cls(both=both, lost=lost, gained=gained, neither=neither)

    @property
    def items(self) -> int:
        return self.both + self.lost + self.gained + self.neither


def mcnemar(flips: Flips) -> float:
    """Exact two-sided p-value of: flips go either way equally often (McNemar 1947, binomial)."""
    from scipy.stats import binomtest  # noqa: PLC0415  # takes most of a second to import

    changed = flips.gained + flips.lost
    return float(binomtest(flips.gained, changed, 0.5).pvalue) if changed else 1.0


def rate_difference(flips: Flips, level: float = 0.95, *, repeats: float = 1.0) -> Interval:
    """Difference of the pass rates, candidate minus reference, with Tango's score interval.

    Its ends are where the score test of that difference gives way, so that it agrees with the
    non-inferiority test, and it has a width even where nothing flipped (Tango, Statistics in
    Medicine 17, 1998, 891-908). `repeats`: so many items tell as much as one
    (`design_effect`). Raises ValueError without items.
    """
    if not flips.items:
        raise ValueError("no items, no difference")
    z = normal_quantile((1 + level) / 2) * math.sqrt(repeats)
    value = (flips.gained - flips.lost) / flips.items
    return Interval(
        value=value,
        low=_crossing(partial(_score, flips), z, -1.0, value),
        high=_crossing(partial(_score, flips), -z, value, 1.0),
        level=level,
    )


def rate_ratio(flips: Flips, level: float = 0.95, *, repeats: float = 1.0) -> Interval | None:
    """Candidate's pass rate over the reference's, with the score interval for paired data (Nam and
    Blackwelder, Statistics in Medicine 21, 2002, 689; Tang, Tang and Chan, same 22, 2003, 1217).

    Without a flip among n items that pass its lower end is n / (n + 3.84). Items that both fail say
    nothing about the ratio. `repeats` as in `rate_difference`. None where the reference passes
    nothing.
    """
    reference, candidate = flips.both + flips.lost, flips.both + flips.gained
    if reference == 0:
        return None
    z = normal_quantile((1 + level) / 2) * math.sqrt(repeats)
    share = candidate / (reference + candidate)
    return Interval(
        value=candidate / reference,
        low=_odds(_crossing(partial(_ratio_score, flips), z, 0.0, share)) if candidate else 0.0,
        high=_odds(_crossing(partial(_ratio_score, flips), -z, share, 1.0)),
        level=level,
    )


def inferiority_p(flips: Flips, margin: float, *, repeats: float = 1.0) -> float:
    """One-sided p-value of: the candidate's rate is lower by `margin` or more (Tango's score).

    A small one shows non-inferiority. Raises ValueError for a margin outside 0..1 or no items.
    """
    if not (0 <= margin < 1 and flips.items):
        raise ValueError(f"a margin of {margin} on {flips.items} items can't be tested")
    return math.erfc(_score(flips, -margin) / math.sqrt(2 * repeats)) / 2


def fewest(margin: float, level: float = 0.95) -> int | None:
    """Items that show non-inferiority if not one of them flips; None where no number does."""
    z = normal_quantile((1 + level) / 2)
    return math.ceil(z * z * (1 / margin - 1)) if margin > 0 else None


def design_effect(prompts: Sequence[Sequence[tuple[bool, bool]]]) -> float:
    """How many answers tell as much as one independent answer, where prompts were asked again.

    The variance of the prompts' mean differences over what it would be were all answers independent
    (Rao and Scott, Biometrics 48, 1992). From 1 to the number of repeats, which it is where fewer
    than ten answers flipped: there is nothing to tell it from.
    """
    differences = [[new - old for old, new in answers] for answers in prompts]
    every = [one for answers in differences for one in answers]
    repeats = len(every) / len(prompts)
    if sum(map(abs, every)) < _FEWEST_FLIPS or len(prompts) < 2:  # noqa: PLR2004
        return repeats
    single = pvariance(every)
    if single == 0:  # all of them flipped, and the same way
        return repeats
    between = variance([fmean(answers) for answers in differences])
    return min(repeats, max(1.0, repeats * between / single))


def _crossing(score: Callable[[float], float], z: float, low: float, high: float) -> float:
    """Where a score, which falls with what is assumed, passes `z`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if score(middle) > z:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(flips: Flips, difference: float) -> float:
    """Tango's statistic: how many standard errors above `difference` the observed one is."""
    items, gained, lost = flips.items, flips.gained, flips.lost
    linear = -gained - lost + (2 * items - gained + lost) * difference
    constant = -lost * difference * (1 - difference)
    root = math.sqrt(max(0.0, linear**2 - 8 * items * constant))
    lost_rate = max(0.0, (root - linear) / (4 * items))
    variance = items * (2 * lost_rate + difference * (1 - difference))
    above = gained - lost - items * difference
    if variance <= 0:
        return math.copysign(math.inf, above) if above else 0.0
    return above / math.sqrt(variance)


def _ratio_score(flips: Flips, share: float) -> float:
    """How many standard errors above the assumed ratio the observed one is.

    The ratio is told as a share, its odds: every ratio lies between 0 and 1 so, and is bisected.
    """
    ratio, seen = _odds(share), flips.both + flips.lost + flips.gained
    reference, candidate = flips.both + flips.lost, flips.both + flips.gained
    square = seen * ratio * (1 + ratio)
    linear = candidate - ratio**2 * (seen + flips.gained)
    constant = flips.gained * ratio * (ratio - 1)
    root = math.sqrt(max(0.0, linear**2 - 4 * square * constant))
    gained_rate = (root - linear) / (2 * square)
    lost_rate = 1 - ratio * (1 - gained_rate)
    variance = seen * ratio * (lost_rate + gained_rate)
    above = candidate - ratio * reference
    if variance <= 0:
        return math.copysign(math.inf, above) if above else 0.0
    return above / math.sqrt(variance)


def _odds(share: float) -> float:
    return share / (1 - share)
