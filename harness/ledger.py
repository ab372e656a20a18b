"""The proof that every planned request was recorded exactly once."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Self

import msgspec

from harness.verdict import Finding, Verdict

_SHOWN = 5


class Ledger(msgspec.Struct, frozen=True):
    """Which indices were recorded: half-open ranges in order, and those recorded again."""

    ranges: tuple[tuple[int, int], ...] = ()
    doubled: tuple[int, ...] = ()

    @classmethod
    def of(cls, indices: Iterable[int]) -> Self:
        ordered = sorted(indices)
        return cls(
            ranges=tuple(_joined((index, index + 1) for index in ordered)),
            doubled=tuple(
                later for earlier, later in itertools.pairwise(ordered) if earlier == later
            ),
        )

    def merged(self, other: "Ledger") -> "Ledger":
        """The ledger of both; what is in both is doubled."""
        both = [
            index
            for low, high in _overlaps(self.ranges, other.ranges)
            for index in range(low, high)
        ]
        return Ledger(
            ranges=tuple(_joined(sorted((*self.ranges, *other.ranges)))),
            doubled=tuple(sorted((*self.doubled, *other.doubled, *both))),
        )

    @property
    def count(self) -> int:
        """Different indices."""
        return sum(stop - start for start, stop in self.ranges)

    def missing(self, planned: int) -> tuple[tuple[int, int], ...]:
        """Ranges below `planned` that were never recorded."""
        edges = [0, *(edge for pair in self.ranges for edge in pair), planned]
        gaps = zip(edges[::2], edges[1::2], strict=True)
        return tuple((low, min(high, planned)) for low, high in gaps if low < min(high, planned))

    def finding(self, planned: int) -> Finding:
        """INVALID unless exactly the indices below `planned` are here, each once."""
        missing = sum(stop - start for start, stop in self.missing(planned))
        unplanned = self.count + missing - planned
        problems = [
            f"{count:,} {what}"
            for count, what in (
                (missing, f"never recorded, e.g. {_first(self.missing(planned))}"),
                (len(self.doubled), f"recorded more than once, e.g. {_listed(self.doubled)}"),
                (unplanned, "recorded without having been planned"),
            )
            if count
        ]
        return Finding(
            name="ledger",
            verdict=Verdict.INVALID if problems else Verdict.PASS,
            reason="; ".join(problems)
            or f"all {planned:,} planned requests are recorded exactly once",
            measured=self.count,
            limit=planned,
            unit="requests",
        )


def _joined(ordered: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start = stop = None
    for low, high in ordered:
        if stop is None or start is None:
            start, stop = low, high
        elif low <= stop:
            stop = max(stop, high)
        else:
            yield start, stop
            start, stop = low, high
    if start is not None and stop is not None:
        yield start, stop


def _overlaps(
    left: tuple[tuple[int, int], ...], right: tuple[tuple[int, int], ...]
) -> Iterator[tuple[int, int]]:
    one = other = 0
    while one < len(left) and other < len(right):
        low = max(left[one][0], right[other][0])
        high = min(left[one][1], right[other][1])
        if low < high:
            yield low, high
        if left[one][1] <= right[other][1]:
            one += 1
        else:
            other += 1


def _listed(indices: tuple[int, ...]) -> str:
    return ", ".join(f"{index:,}" for index in indices[:_SHOWN])


def _first(ranges: tuple[tuple[int, int], ...]) -> str:
    if not ranges:
        return ""
    start, stop = ranges[0]
    return f"{start:,}" if stop == start + 1 else f"{start:,} to {stop - 1:,}"
