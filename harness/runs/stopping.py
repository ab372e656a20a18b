"""Signals that end a run, as asyncio does it for Ctrl-C: the task is cancelled.

The exception that the command line raises for them could come up within any callback, and parsers
written in C swallow what comes up within theirs.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def cancelled_by_signals(task: "asyncio.Future[int]") -> Iterator[None]:
    """In the main thread, for signals that somebody handles already; elsewhere nothing is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = [number for number, handler in before.items() if callable(handler)]
    try:
        for number in handled:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
