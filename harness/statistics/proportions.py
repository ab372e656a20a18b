"""The interval of one share."""

import math
from functools import lru_cache
from statistics import NormalDist

from harness.summary import Rate


def wilson(count: int, of: int, level: float = 0.95) -> Rate:
    """Wilson's score interval (JASA 22, 1927), which holds near 0 and 1 and for small numbers.

    Of nothing at all the share is told as 0 and the interval is everything. Raises ValueError where
    `count` is no part of `of`.
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
    return Rate(
        count=count,
        of=of,
        value=share,
        low=0.0 if count == 0 else max(0.0, middle - half),
        high=1.0 if count == of else min(1.0, middle + half),
    )


@lru_cache(maxsize=32)
def normal_quantile(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
