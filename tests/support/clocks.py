"""Time that passes when a test says so, and time that passes by itself."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Answer = TypeVar("Answer")

MARGIN_S: Final = 0.25
"""How late the contract lets an answer be."""
_TRIES: Final = 3


def in_time(limit_s: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns; one answer of three must come within the limit and the contract's margin.

    A machine that is lent to others as well stops a process for longer than the margin now and
    then. Code that waits too long does so each time.
    """
    took_s = []
    for _ in range(_TRIES):
        began = time.monotonic()
        answer = ask()
        took_s.append(time.monotonic() - began)
        if took_s[-1] <= limit_s + MARGIN_S:
            return answer
    raise AssertionError(f"{limit_s} s were promised; it took {took_s}")


class Clock:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
