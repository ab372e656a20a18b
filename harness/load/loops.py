"""When the next request goes: when one is answered, or when its time has come."""

from collections.abc import Iterator
from time import monotonic_ns
from typing import Final, Protocol

from harness.load import failures
from harness.load.exchange import Exchange
from harness.load.pacing import Timers
from harness.load.schedule import PlannedAt
from harness.load.sender import Sender

_AT_ONCE: Final = 16
_AFTER_NO_CONNECTION_NS: Final = 100_000_000
_LOOK_AFTER_SPARE_NS: Final = 20_000_000


class Loop(Protocol):
    next_index: int
    """Every planned index below has been sent, or refused."""

    def start(self) -> None: ...


class ClosedLoop:
    """As many at once as `concurrency`, until the indices or the time are used up.

    `arms` requests in a row are one item, which is asked of all of them even when the time is up.
    """

    def __init__(
        self,
        sender: Sender,
        timers: Timers,
        indices: Iterator[int],
        concurrency: int,
        end_ns: int | None,
        arms: int,
    ) -> None:
        self.next_index = 0
        self._sender = sender
        self._timers = timers
        self._indices = indices
        self._concurrency = concurrency
        self._end_ns = end_ns
        self._arms = arms
        self._resting = 0
        sender.answered = self._answered

    def start(self) -> None:
        for _ in range(self._concurrency):
            self._next()
        self._end_if_idle()

    def _next(self) -> None:
        present = monotonic_ns()
        time_is_up = self._end_ns is not None and present >= self._end_ns
        if time_is_up and self.next_index % self._arms == 0:
            return
        index = next(self._indices, None)
        if index is not None:
            self.next_index = max(self.next_index, index + 1)
            self._sender.send(self._sender.make(index, present))

    def _answered(self, exchange: Exchange) -> None:
        if exchange.error == failures.CONNECT and self._end_ns is not None:
            # Nobody listens: asking as fast as that can be found out would fill the disk.
            self._resting += 1
            self._timers.at(monotonic_ns() + _AFTER_NO_CONNECTION_NS, self._rested)
        else:
            self._next()
            self._end_if_idle()

    def _rested(self) -> None:
        self._resting -= 1
        self._next()
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if not self._sender.in_flight and not self._resting:
            self._sender.end()


class OpenLoop:
    """Each at its planned time, whatever became of those before it."""

    def __init__(
        self,
        sender: Sender,
        timers: Timers,
        indices: Iterator[int],
        planned_at: PlannedAt,
        max_in_flight: int,
    ) -> None:
        self.next_index = 0
        self._sender = sender
        self._timers = timers
        self._indices = indices
        self._planned_at = planned_at
        self._max_in_flight = max_in_flight
        self._coming: Exchange | None = None
        sender.answered = lambda _: self._end_if_idle()

    def start(self) -> None:
        self._prepare()
        self._wait()
        self._look_after_spare()

    def _look_after_spare(self) -> None:
        self._sender.keep_spare(self._max_in_flight)
        if self._coming is not None:
            self._timers.at(monotonic_ns() + _LOOK_AFTER_SPARE_NS, self._look_after_spare)

    def _prepare(self) -> None:
        """The next request is made before its time, so that only sending it is left."""
        index = next(self._indices, None)
        self._coming = None
        if index is not None:
            self.next_index = max(self.next_index, index + 1)
            self._coming = self._sender.make(
                index, self._sender.origin_ns + self._planned_at(index)
            )

    def _wait(self) -> None:
        if self._coming is not None:
            self._timers.at(self._coming.planned_ns, self._due)
        self._end_if_idle()

    def _due(self) -> None:
        """Send what is due; after a few, answers that came meanwhile get their time-stamps."""
        for _ in range(_AT_ONCE):
            exchange = self._coming
            if exchange is None or exchange.planned_ns > monotonic_ns():
                break
            self._dispatch(exchange)
            self._prepare()
        self._wait()

    def _dispatch(self, exchange: Exchange) -> None:
        if self._sender.in_flight < self._max_in_flight:
            self._sender.send(exchange)
        else:
            self._sender.refuse(exchange)

    def _end_if_idle(self) -> None:
        if self._coming is None and not self._sender.in_flight:
            self._sender.end()
