"""Timers finer than the event loop's.

asyncio rounds a wait up to the next millisecond of `epoll`; a timer file descriptor wakes it
within tens of microseconds. Python before 3.13, or not on Linux, falls back on the loop.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

now = time.monotonic


class Pacer(Protocol):
    """Runs callbacks at points in `now`'s time."""

    def at(self, when: float, callback: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


class LoopPacer:
    """By the event loop's own timers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop  # whose clock is `now`

    def at(self, when: float, callback: Callable[[], None]) -> None:
        self._loop.call_at(when, callback)

    def close(self) -> None:
        """Nothing to give back."""


def pacer_for(loop: asyncio.AbstractEventLoop) -> Pacer:
    """The finest there is."""
    if sys.platform == "linux" and sys.version_info >= (3, 13):
        return TimerfdPacer(loop)
    return LoopPacer(loop)


if sys.platform == "linux" and sys.version_info >= (3, 13):

    class TimerfdPacer:
        """By one timer file descriptor, set to the earliest of a heap of callbacks."""

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            self._heap: list[tuple[float, int, Callable[[], None]]] = []
            self._order = count()
            self._armed = float("inf")
            self._timer = os.timerfd_create(
                time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
            )
            loop.add_reader(self._timer, self._fire)

        def at(self, when: float, callback: Callable[[], None]) -> None:
            heappush(self._heap, (when, next(self._order), callback))
            if when < self._armed:
                self._arm(when)

        def close(self) -> None:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)

        def _arm(self, when: float) -> None:
            self._armed = when
            nanoseconds = max(1, int(when * 1e9))  # 0 would disarm it
            os.timerfd_settime_ns(self._timer, flags=os.TFD_TIMER_ABSTIME, initial=nanoseconds)

        def _fire(self) -> None:
            with contextlib.suppress(BlockingIOError):  # set anew since it went off
                os.read(self._timer, 8)
            self._armed = float("inf")
            due = now()
            heap = self._heap
            while heap and heap[0][0] <= due:
                heappop(heap)[2]()
            if heap and heap[0][0] < self._armed:
                self._arm(heap[0][0])
