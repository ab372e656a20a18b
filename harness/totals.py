"""What one arm's requests add up to: counts and integer histograms, which merge exactly."""

from typing import Final

import msgspec

from harness.histogram import Histogram
from harness.plan import Slo
from harness.records import Record

_NS_PER_US: Final = 1_000
_NS_PER_MS: Final = 1_000_000


class Checked(msgspec.Struct):
    checked: int = 0
    passed: int = 0

    def update(self, other: "Checked") -> None:
        self.checked += other.checked
        self.passed += other.passed


class Second(msgspec.Struct):
    """What happened in one second of the run's time, by the end of each request."""

    answered: int = 0
    failed: int = 0
    latency_us: int = 0
    """Summed, of those answered."""

    def update(self, other: "Second") -> None:
        self.answered += other.answered
        self.failed += other.failed
        self.latency_us += other.latency_us


class ArmTotals(msgspec.Struct):
    """Of one arm's measured requests; warm-up is not among them. Histograms are in microseconds."""

    requests: int = 0
    errors: dict[str, int] = {}
    """By class."""
    finish_reasons: dict[str, int] = {}
    variants: dict[str, int] = {}
    targets: dict[str, int] = {}
    latency: Histogram = msgspec.field(default_factory=Histogram)
    """Of those answered, from the planned send time."""
    service: Histogram = msgspec.field(default_factory=Histogram)
    """The same from when they were sent: what a client that waits its turn would have said."""
    ttft: Histogram = msgspec.field(default_factory=Histogram)
    tpot: Histogram = msgspec.field(default_factory=Histogram)
    gaps: Histogram = msgspec.field(default_factory=Histogram)
    """Between pieces of streamed answers; inter-token latency where every piece is a token."""
    pieces: int = 0
    good: int = 0
    """Answered within every objective of the SLO."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    counted: int = 0
    """Requests for which the server said how many tokens it used."""
    cache_counted: int = 0
    """Prompt tokens of requests for which it said how many came from its cache."""
    output_chars: int = 0
    quality: Checked = msgspec.field(default_factory=Checked)
    by_category: dict[str, Checked] = {}
    rows: dict[str, dict[str, int]] = {}
    """How often each row with checks was asked, by category and prompt id."""
    first_ns: int | None = None
    last_ns: int | None = None
    """When the first was planned and the last one ended."""

    @property
    def failed(self) -> int:
        return sum(self.errors.values())

    @property
    def answered(self) -> int:
        return self.requests - self.failed

    def add(self, record: Record, slo: Slo, *, passed: bool | None, category: str) -> None:
        """One request, all but the gaps between its pieces."""
        self.requests += 1
        self._span(record.planned_ns, record.end_ns)
        if passed is not None:
            checked = Checked(1, int(passed))
            self.quality.update(checked)
            rows = self.rows.setdefault(category, {})
            rows[record.prompt_id] = rows.get(record.prompt_id, 0) + 1
            if category:
                self.by_category.setdefault(category, Checked()).update(checked)
        for counts, name in ((self.variants, record.variant), (self.targets, record.target)):
            if name:
                counts[name] = counts.get(name, 0) + 1
        if record.error:
            self.errors[record.error] = self.errors.get(record.error, 0) + 1
        else:
            self._answered(record, slo)

    def update(self, other: "ArmTotals") -> None:
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTS:
            _add_counts(getattr(self, name), getattr(other, name))
        for category, rows in other.rows.items():
            _add_counts(self.rows.setdefault(category, {}), rows)
        for name in _HISTOGRAMS:
            getattr(self, name).update(getattr(other, name))
        self.quality.update(other.quality)
        for category, checked in other.by_category.items():
            self.by_category.setdefault(category, Checked()).update(checked)
        if other.first_ns is not None and other.last_ns is not None:
            self._span(other.first_ns, other.last_ns)

    def _span(self, first_ns: int, last_ns: int) -> None:
        self.first_ns = first_ns if self.first_ns is None else min(self.first_ns, first_ns)
        self.last_ns = last_ns if self.last_ns is None else max(self.last_ns, last_ns)

    def _answered(self, record: Record, slo: Slo) -> None:
        reason = record.finish_reason
        self.finish_reasons[reason] = self.finish_reasons.get(reason, 0) + 1
        self.latency.add(record.latency_ns // _NS_PER_US)
        self.service.add((record.end_ns - record.sent_ns) // _NS_PER_US)
        if (ttft := record.ttft_ns) is not None:
            self.ttft.add(ttft // _NS_PER_US)
            self.pieces += 1 + len(record.gaps_us)
        if (tpot := record.tpot_ns) is not None:
            self.tpot.add(tpot // _NS_PER_US)
        self.good += meets(slo, record)
        self.output_chars += len(record.output)
        if record.prompt_tokens is None or record.completion_tokens is None:
            return
        self.counted += 1
        self.prompt_tokens += record.prompt_tokens
        self.completion_tokens += record.completion_tokens
        if record.cached_tokens is not None:
            self.cached_tokens += record.cached_tokens
            self.cache_counted += record.prompt_tokens


_SUMMED: Final = (
    "requests",
    "pieces",
    "good",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "counted",
    "cache_counted",
    "output_chars",
)
_COUNTS: Final = ("errors", "finish_reasons", "variants", "targets")
_HISTOGRAMS: Final = ("latency", "service", "ttft", "tpot", "gaps")


def _add_counts(counts: dict[str, int], others: dict[str, int]) -> None:
    for name, count in others.items():
        counts[name] = counts.get(name, 0) + count


def meets(slo: Slo, record: Record) -> bool:
    """Is it an answer within every objective? What can't be known of it is not within."""
    if record.error:
        return False
    if slo.latency_ms is not None and record.latency_ns > slo.latency_ms * _NS_PER_MS:
        return False
    if slo.ttft_ms is not None:
        ttft = record.ttft_ns
        if ttft is None or ttft > slo.ttft_ms * _NS_PER_MS:
            return False
    if slo.tpot_ms is None:
        return True
    tokens, tpot = record.completion_tokens, record.tpot_ns
    if tokens is not None and tokens < 2:  # noqa: PLR2004
        return True  # there is no token after the first that could have been slow
    return tpot is not None and tpot <= slo.tpot_ms * _NS_PER_MS
