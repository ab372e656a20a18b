"""What a client tells of its own event loop."""

from collections.abc import Callable

import pytest

from harness.load import health
from harness.load.health import Monitor, Pulse

MS = 1_000_000


class Clock:
    """Time goes on only when somebody says so."""

    def __init__(self) -> None:
        self.now = 0
        self.due: list[tuple[int, Callable[[], None]]] = []

    def at(self, moment: int, callback: Callable[[], None]) -> None:
        self.due.append((moment, callback))

    def close(self) -> None:
        self.due.clear()

    def reach(self, moment: int) -> None:
        """The loop was busy until then."""
        self.now = moment
        (_, callback), self.due = self.due[0], []
        callback()


class Sender:
    origin_ns = in_flight = sent = refused = 0


def test_a_stall_counts_as_much_as_the_time_that_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(health, "monotonic_ns", lambda: clock.now)
    told: list[Pulse] = []
    monitor = Monitor(clock, Sender(), told.append)  # type: ignore[arg-type]

    clock.reach(20 * MS)
    clock.reach(40 * MS + 100 * MS)
    monitor.tell()

    lag = told[-1].loop_lag
    assert [round(lag.at_rank(rank) / 1000) for rank in range(1, lag.total + 1)] == [
        *(0, 0, 20, 40, 60, 80, 100)
    ]
