"""Timers that are late by tens of microseconds, where an event loop's are by a millisecond.

Event loops round what is left up to whole milliseconds. A timer file descriptor is given the
moment itself and wakes the loop as a socket does. Where there is none (Python before 3.13, or not
Linux) the loop's own timers serve.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from typing import Final, Protocol

now: Final = time.monotonic_ns
_TICKS: Final = 8


class Timers(Protocol):
    def at(self, moment: int, callback: Callable[[], None]) -> None:
        """Call when `now()` has reached `moment`; never within this call."""

    def close(self) -> None:
        """Forget what was to be called."""


class LoopTimers:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open = True

    def at(self, moment: int, callback: Callable[[], None]) -> None:
        self._loop.call_later(max(0, moment - now()) / 1e9, self._due, callback)

    def close(self) -> None:
        self._open = False

    def _due(self, callback: Callable[[], None]) -> None:
        if self._open:
            callback()


def timers_of(loop: asyncio.AbstractEventLoop) -> Timers:
    if sys.platform == "linux" and sys.version_info >= (3, 13):
        return DescriptorTimers(loop)
    return LoopTimers(loop)


if sys.platform == "linux" and sys.version_info >= (3, 13):

    class DescriptorTimers:
        """One descriptor, armed for the earliest of all that is to be called."""

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self._pending: list[tuple[int, int, Callable[[], None]]] = []
            self._tie_break = count()
            self._earliest: int | None = None
            self._descriptor = os.timerfd_create(
                time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
            )
            loop.add_reader(self._descriptor, self._expired)

        def at(self, moment: int, callback: Callable[[], None]) -> None:
            heappush(self._pending, (moment, next(self._tie_break), callback))
            self._arm()

        def close(self) -> None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._pending.clear()

        def _arm(self) -> None:
            if self._pending and (self._earliest is None or self._pending[0][0] < self._earliest):
                self._earliest = self._pending[0][0]
                os.timerfd_settime_ns(
                    self._descriptor,
                    flags=os.TFD_TIMER_ABSTIME,
                    initial=max(1, self._earliest),  # 0 would switch it off
                )

        def _expired(self) -> None:
            with suppress(BlockingIOError):  # armed anew in between
                os.read(self._descriptor, _TICKS)
            self._earliest = None
            present = now()
            try:
                while self._pending and self._pending[0][0] <= present:
                    heappop(self._pending)[2]()
            finally:
                if self._pending:
                    self._arm()
