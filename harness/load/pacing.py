"""Timers that are late by tens of microseconds, where an event loop's are by a millisecond.

Event loops round what is left up to whole milliseconds. A timer file descriptor is given the
moment itself and wakes the loop as a socket does. Where there is none (Python before 3.13, or not
Linux) the loop's own timers serve.
"""

import asyncio
import os
import sys
import time
from abc import ABC, abstractmethod
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


class _Ordered(ABC):
    """Wakes for the earliest of all that is to be called, and sees for itself what is due: a loop's
    clock stands still while it works, so that its timers may come early.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pending: list[tuple[int, int, Callable[[], None]]] = []
        self._tie_break = count()
        self._earliest: int | None = None

    def at(self, moment: int, callback: Callable[[], None]) -> None:
        heappush(self._pending, (moment, next(self._tie_break), callback))
        self._arm()

    def close(self) -> None:
        self._pending.clear()

    @abstractmethod
    def _wake_at(self, moment: int) -> None:
        """Have `_expired` called then, and no more when it was to be before."""

    def _arm(self) -> None:
        if self._pending and (self._earliest is None or self._pending[0][0] < self._earliest):
            self._earliest = self._pending[0][0]
            self._wake_at(self._earliest)

    def _expired(self) -> None:
        self._earliest = None
        present = now()
        try:
            while self._pending and self._pending[0][0] <= present:
                heappop(self._pending)[2]()
        finally:
            self._arm()


class LoopTimers(_Ordered):
    _handle: asyncio.TimerHandle | None = None

    def close(self) -> None:
        super().close()
        self._forget()

    def _wake_at(self, moment: int) -> None:
        self._forget()
        left = max(0, moment - now())
        self._handle = self._loop.call_later(left / 1e9, self._expired)

    def _forget(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


def timers_of(loop: asyncio.AbstractEventLoop) -> Timers:
    if sys.platform == "linux" and sys.version_info >= (3, 13):
        return DescriptorTimers(loop)
    return LoopTimers(loop)


if sys.platform == "linux" and sys.version_info >= (3, 13):

    class DescriptorTimers(_Ordered):
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            super().__init__(loop)
            self._descriptor = os.timerfd_create(
                time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
            )
            loop.add_reader(self._descriptor, self._read)

        def close(self) -> None:
            super().close()
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)

        def _wake_at(self, moment: int) -> None:
            os.timerfd_settime_ns(
                self._descriptor,
                flags=os.TFD_TIMER_ABSTIME,
                initial=max(1, moment),  # 0 would switch it off
            )

        def _read(self) -> None:
            with suppress(BlockingIOError):  # armed anew in between
                os.read(self._descriptor, _TICKS)
            self._expired()
