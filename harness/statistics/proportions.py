"""The interval of one share."""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

from harness.summary import Rate

_RARE: Final = 3
"""So few, or so few others, have the interval's nearer end from the Poisson distribution."""
_HALVINGS: Final = 60


def wilson(count: int, of: int, level: float = 0.95) -> Rate:
    """Wilson's score interval (JASA 22, 1927), with the correction of Brown, Cai and DasGupta
    (Statistical Science 16, 2001, 4.1.1) where there are one to three of a kind.

    At a nominal 95 % it covers 90 % at least from 8 on, whatever the true share is, and 92 % from
    40 on; uncorrected 83 %. Of nothing at all the share is told as 0 and the interval is
    everything. Raises ValueError where `count` is no part of `of`.
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if of == 0:
        return Rate(count=0, of=0, value=0.0, low=0.0, high=1.0)
    share = count / of
    z = normal_quantile((1 + level) / 2)
    shrunk = 1 + z * z / of
    middle = (share + z * z / (2 * of)) / shrunk
    half = z / shrunk * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    if count <= _RARE:
        low = min(low, _rare(count, level) / of)
    if of - count <= _RARE:
        high = max(high, 1 - _rare(of - count, level) / of)
    return Rate(count=count, of=of, value=share, low=low, high=high)


@lru_cache(maxsize=32)
def _rare(count: int, level: float) -> float:
    """The mean of a Poisson distribution that gives so many or more with probability 1 - level."""
    low, high = 0.0, float(count)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        fewer = math.exp(-middle) * sum(middle**k / math.factorial(k) for k in range(count))
        low, high = (middle, high) if fewer > level else (low, middle)
    return low


@lru_cache(maxsize=32)
def normal_quantile(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
