"""Was the client fit to measure? Told once a second by itself."""

from collections.abc import Callable
from time import monotonic_ns, thread_time_ns
from typing import Final

import msgspec

from harness.histogram import Histogram
from harness.load.pacing import Timers
from harness.load.sender import Sender

PULSE_NS: Final = 1_000_000_000
_PROBE_NS: Final = 20_000_000


class Pulse(msgspec.Struct, kw_only=True):
    """What the client did since the pulse before, about a second ago."""

    at_ns: int
    """In the run's own time."""
    wall_ns: int
    cpu_ns: int
    """Of the thread that sends and receives."""
    loop_lag: Histogram
    """How late the event loop came to a timer, in microseconds."""
    in_flight: int
    """Now."""
    sent: int
    refused: int
    """Not sent, because of the limit on requests in flight."""


class Monitor:
    """Probes the loop, and tells what it and the sender did."""

    def __init__(self, timers: Timers, sender: Sender, told: Callable[[Pulse], None]) -> None:
        self._timers = timers
        self._sender = sender
        self._told = told
        self._lag = Histogram()
        self._wall_ns, self._cpu_ns = monotonic_ns(), thread_time_ns()
        self._due_ns = self._wall_ns + _PROBE_NS
        timers.at(self._due_ns, self._probe)

    def tell(self) -> None:
        """What happened since it was told last."""
        wall_ns, cpu_ns = monotonic_ns(), thread_time_ns()
        sender = self._sender
        pulse = Pulse(
            at_ns=max(0, wall_ns - sender.origin_ns),
            wall_ns=wall_ns - self._wall_ns,
            cpu_ns=cpu_ns - self._cpu_ns,
            loop_lag=self._lag,
            in_flight=sender.in_flight,
            sent=sender.sent,
            refused=sender.refused,
        )
        self._wall_ns, self._cpu_ns, self._lag = wall_ns, cpu_ns, Histogram()
        sender.sent = sender.refused = 0
        self._told(pulse)

    def _probe(self) -> None:
        """Probes that fell due while the loop was busy were late, too: a stall of a second is that
        second's share of the time, not one probe of many.
        """
        present = monotonic_ns()
        for late_ns in range(present - self._due_ns, -1, -_PROBE_NS):
            self._lag.add(late_ns // 1000)
        if present - self._wall_ns >= PULSE_NS:
            self.tell()
        self._due_ns = monotonic_ns() + _PROBE_NS
        self._timers.at(self._due_ns, self._probe)
