"""What a run does, while it does it. Drawn once a second or less: the client comes first."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.histogram import Histogram
from harness.runs.tally import Tally

_LINE_EVERY_S: Final = 5.0
_RATE_OVER: Final = 10
"""So many looks back, the rate is taken from."""
_LEVELS: Final = ((50, 0.5), (95, 0.95), (99, 0.99))
_US_PER_MS: Final = 1_000
_MINUTE: Final = 60


class Watch(Protocol):
    """Told what happens to a run."""

    def begin(self, tally: Tally, planned: int | None, duration_s: float | None) -> None: ...

    def look(self) -> None:
        """A second went by."""

    def end(self) -> None: ...


class Silent:
    """Watches nothing."""

    def begin(self, tally: Tally, planned: int | None, duration_s: float | None) -> None:
        pass

    def look(self) -> None:
        pass

    def end(self) -> None:
        pass


@dataclass(slots=True)
class Progress:
    """One line that is drawn anew on a terminal; elsewhere a line every few seconds."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    _tally: Tally = field(default_factory=Tally)
    _planned: int | None = None
    _duration_s: float | None = None
    _seen: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_RATE_OVER))
    _live: Live | None = None
    _next_line: float = 0.0

    def begin(self, tally: Tally, planned: int | None, duration_s: float | None) -> None:
        self._tally, self._planned, self._duration_s = tally, planned, duration_s
        self._seen.append((self.clock(), tally.done))
        self._next_line = self.clock() + _LINE_EVERY_S
        if self.console.is_terminal:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()

    def look(self) -> None:
        now = self.clock()
        self._seen.append((now, self._tally.done))
        if self._live is not None:
            self._live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"), refresh=True)
        elif now >= self._next_line:
            self._next_line = now + _LINE_EVERY_S
            self.console.print(Text(self.line()), soft_wrap=True)

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def line(self) -> str:
        tally, rate = self._tally, self._rate()
        of = "" if self._planned is None else f"/{self._planned:,}"
        parts = [
            f"{tally.done:,}{of} requests",
            f"{rate:,.1f}/s",
            *_percentiles("latency", tally.latency),
            *_percentiles("first token", tally.ttft),
            f"{tally.failed:,} failed{_commonest(tally)}",
        ]
        if (left := self._left_s(rate)) is not None:
            parts.append(f"{_clock(left)} left")
        return " · ".join(parts)

    def _rate(self) -> float:
        (since, before), (now, after) = self._seen[0], self._seen[-1]
        return (after - before) / (now - since) if now > since else 0.0

    def _left_s(self, rate: float) -> float | None:
        if self._duration_s is not None:
            return max(0.0, self._duration_s - self._tally.end_ns / 1e9)
        if self._planned is None or not rate:
            return None
        return max(0, self._planned - self._tally.done) / rate

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.end()


def _percentiles(name: str, histogram: Histogram) -> list[str]:
    total = histogram.total
    if not total:
        return []
    values = (
        f"p{number} {histogram.at_rank(max(1, math.ceil(level * total))) / _US_PER_MS:,.4g}"
        for number, level in _LEVELS
        if total * (1 - level) >= 1 or number == 50  # noqa: PLR2004  # else it is the maximum
    )
    return [f"{name} {' '.join(values)} ms"]


def _commonest(tally: Tally) -> str:
    if not tally.errors:
        return ""
    return f" ({max(tally.errors, key=tally.errors.__getitem__)})"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), _MINUTE)
    return f"{minutes}:{rest:02d}"
