"""What a run's records add up to. Parts merge exactly: shards give the whole's own figures.

Counts and integer histograms only. Everything shown of a run is derived from this (see
`harness.summary`), whether one process or a thousand recorded it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol, Self

import msgspec

from harness.histogram import Histogram, bucket_of
from harness.ledger import Ledger
from harness.load import failures
from harness.plan import Plan
from harness.records import Record
from harness.totals import ArmTotals, Checked, Second

__all__ = ["Aggregate", "ArmTotals", "Checked", "Fold", "Grade", "Health", "Second", "ungraded"]

_NS_PER_US: Final = 1_000
_NS_PER_S: Final = 1_000_000_000
_FLUSHED_AT: Final = 50_000
_NEVER_SENT: Final = frozenset({failures.CONNECT, failures.CLIENT_LIMIT})
_NO_CATEGORIES: Final[Mapping[str, str]] = MappingProxyType({})

Grade = Callable[[Record], "bool | None"]
"""Did the answer pass its row's checks? None: the row has none. A failed request did not pass."""


def ungraded(_: Record) -> bool | None:
    """Where answers are not checked."""
    return None


class Health(Protocol):
    """Of the client, over a stretch of its time: `harness.load`'s pulses are such."""

    @property
    def wall_ns(self) -> int: ...
    @property
    def cpu_ns(self) -> int: ...
    @property
    def loop_lag(self) -> Histogram: ...
    @property
    def refused(self) -> int: ...


class Aggregate(msgspec.Struct):
    """A run, or a part of one. To JSON and back it stays the same."""

    ledger: Ledger = Ledger()
    """Of all that was recorded, warm-up too."""
    arms: dict[str, ArmTotals] = {}
    """By the plan's names."""
    dispatch_lag: Histogram = msgspec.field(default_factory=Histogram)
    """Sent after planned, in microseconds, of every measured request that was sent."""
    loop_lag: Histogram = msgspec.field(default_factory=Histogram)
    """Microseconds."""
    wall_ns: int = 0
    cpu_ns: int = 0
    refused: int = 0
    """Requests that an open loop didn't send, for too many were in flight."""
    segments: int = 1
    timeline: dict[int, Second] = {}
    planned: int | None = None
    """None where nobody has told how many requests the run has."""

    @classmethod
    def empty(cls, plan: Plan, planned: int | None = None) -> Self:
        """Of a run that has not begun."""
        return cls(arms={arm.name: ArmTotals() for arm in plan.arms}, planned=planned)

    @classmethod
    def of(  # all that is known of a run
        cls,
        records: Iterable[Record],
        plan: Plan,
        grade: Grade = ungraded,
        *,
        categories: Mapping[str, str] = _NO_CATEGORIES,
        health: Iterable[Health] = (),
        planned: int | None = None,
        segments: int = 1,
    ) -> Self:
        """Folds one record after the other. `categories`: of rows, by prompt id.

        Raises KeyError for an arm that the plan doesn't have.
        """
        whole = cls.empty(plan, planned)
        whole.segments = segments
        fold = Fold(whole, plan, grade, categories)
        for record in records:
            fold.add(record)
        for stretch in health:
            whole.breathed(stretch)
        fold.finish()
        return whole

    @property
    def expected(self) -> int:
        """How many requests there have to be; as many as the last one recorded, if untold."""
        if self.planned is not None:
            return self.planned
        return self.ledger.ranges[-1][1] if self.ledger.ranges else 0

    def breathed(self, stretch: Health) -> None:
        self.wall_ns += stretch.wall_ns
        self.cpu_ns += stretch.cpu_ns
        self.refused += stretch.refused
        self.loop_lag.update(stretch.loop_lag)

    def update(self, other: "Aggregate") -> None:
        """Takes in another part of the same run; in whatever order, the sum is the same."""
        self.ledger = self.ledger.merged(other.ledger)
        for name, totals in other.arms.items():
            self.arms.setdefault(name, ArmTotals()).update(totals)
        for second, happened in other.timeline.items():
            self.timeline.setdefault(second, Second()).update(happened)
        self.dispatch_lag.update(other.dispatch_lag)
        self.breathed(other)
        self.segments = max(self.segments, other.segments)
        if other.planned is not None:
            self.planned = max(self.planned or 0, other.planned)


class Fold:
    """Takes records in, one by one; what it folds into is whole after `finish`."""

    def __init__(
        self,
        into: Aggregate,
        plan: Plan,
        grade: Grade = ungraded,
        categories: Mapping[str, str] = _NO_CATEGORIES,
    ) -> None:
        self._into = into
        self._grade = grade
        self._categories = categories
        self._slo = plan.slo
        self._first_measured = plan.first_measured
        self._indices: list[int] = []
        # Gaps are by far the most numerous: counted in C first, put into buckets now and then.
        self._gaps: dict[str, Counter[int]] = {name: Counter() for name in into.arms}

    def add(self, record: Record) -> None:
        into = self._into
        totals = into.arms[record.arm]
        self._indices.append(record.index)
        if record.index < self._first_measured:
            return
        category = self._categories.get(record.prompt_id, "")
        totals.add(record, self._slo, passed=self._grade(record), category=category)
        if record.error not in _NEVER_SENT:
            into.dispatch_lag.add(max(0, record.sent_ns - record.planned_ns) // _NS_PER_US)
        second = into.timeline.setdefault(record.end_ns // _NS_PER_S, Second())
        if record.error:
            second.failed += 1
            return
        second.answered += 1
        second.latency_us += record.latency_ns // _NS_PER_US
        if record.gaps_us:
            gaps = self._gaps[record.arm]
            gaps.update(record.gaps_us)
            if len(gaps) > _FLUSHED_AT:
                _pour(gaps, totals.gaps)

    def finish(self) -> None:
        """May be called again and again; what it folds into is up to date then."""
        self._into.ledger = self._into.ledger.merged(Ledger.of(self._indices))
        self._indices.clear()
        for name, gaps in self._gaps.items():
            _pour(gaps, self._into.arms[name].gaps)


def _pour(raw: Counter[int], histogram: Histogram) -> None:
    counts = histogram.counts
    for value, times in raw.items():
        bucket = bucket_of(value)
        counts[bucket] = counts.get(bucket, 0) + times
    raw.clear()
