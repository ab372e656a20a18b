"""What a run's records add up to. Parts merge exactly: shards give the whole's own figures.

Counts and integer histograms only. Everything shown of a run is derived from this (see
`harness.summary`), whether one process or a thousand recorded it.
"""

from collections.abc import Callable

import msgspec

from harness.histogram import Histogram
from harness.records import Record

_NS_PER_US = 1_000
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000

Grade = Callable[[Record], "bool | None"]
"""Did the answer pass its row's checks? None: the row has none."""


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
    first_ns: int | None = None
    last_ns: int | None = None
    """When the first was planned and the last one ended."""

    @property
    def failed(self) -> int:
        return sum(self.errors.values())
