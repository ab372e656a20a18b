"""Integer histograms that merge exactly, however a run was cut into shards.

Buckets are logarithmic with linear steps inside each power of two (HdrHistogram's scheme): below
2,048 a bucket is one unit wide, above that a value is known to 1 part in 1,024. Merging adds counts
bucket by bucket, so shards and the whole agree to the last count; percentiles of merged shards are
the whole's, which averages of percentiles and sketches are not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec

_BITS: Final = 11
_STEPS: Final = 1 << _BITS
_HALF: Final = _STEPS >> 1


def bucket_of(value: int) -> int:
    """The bucket of a whole number ≥ 0."""
    shift = max(0, value.bit_length() - _BITS)
    return (value >> shift) + shift * _HALF


def lowest_of(bucket: int) -> int:
    """The smallest value in `bucket`."""
    shift = max(0, bucket // _HALF - 1)
    return (bucket - shift * _HALF) << shift


def middle_of(bucket: int) -> float:
    """What a value in `bucket` is taken to be."""
    return (lowest_of(bucket) + lowest_of(bucket + 1) - 1) / 2


class Histogram(msgspec.Struct):
    """Counts by bucket. Values are whole numbers ≥ 0, of whatever unit the owner says."""

    counts: dict[int, int] = {}

    @classmethod
    def of(cls, values: Iterable[int]) -> Self:
        return cls(dict(Counter(map(bucket_of, values))))

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def add(self, value: int, times: int = 1) -> None:
        """Raises ValueError for a negative value: a clock ran backwards somewhere."""
        if value < 0:
            raise ValueError(f"a histogram holds no negative values, got {value}")
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + times

    def update(self, other: "Histogram") -> None:
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count

    def at_rank(self, rank: int) -> float:
        """The `rank`-th smallest value, from 1. Raises IndexError where there is none."""
        if not 1 <= rank <= self.total:
            raise IndexError(f"rank {rank} of {self.total} values")
        return _at_rank(self.counts, rank)

    def mean(self) -> float:
        """Raises ZeroDivisionError where it is empty."""
        weighted = sum(middle_of(bucket) * count for bucket, count in self.counts.items())
        return weighted / self.total


def _at_rank(counts: Mapping[int, int], rank: int) -> float:
    left = rank
    for bucket in sorted(counts):
        left -= counts[bucket]
        if left <= 0:
            return middle_of(bucket)
    raise AssertionError("the caller checked the rank")
