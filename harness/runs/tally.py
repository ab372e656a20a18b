"""What is known of a run while it goes on: cheap enough for every record."""

from dataclasses import dataclass, field
from typing import Final

from harness.histogram import Histogram
from harness.records import Record

_NS_PER_US: Final = 1_000


@dataclass(slots=True)
class Tally:
    answered: int = 0
    failed: int = 0
    end_ns: int = 0
    """When the latest one ended, in the run's time."""
    errors: dict[str, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    """Microseconds, of those answered."""
    ttft: Histogram = field(default_factory=Histogram)

    @property
    def done(self) -> int:
        return self.answered + self.failed

    def add(self, record: Record) -> None:
        self.end_ns = max(self.end_ns, record.end_ns)
        if record.error:
            self.failed += 1
            self.errors[record.error] = self.errors.get(record.error, 0) + 1
            return
        self.answered += 1
        self.latency.add(record.latency_ns // _NS_PER_US)
        if (ttft := record.ttft_ns) is not None:
            self.ttft.add(ttft // _NS_PER_US)
