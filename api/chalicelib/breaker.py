"""Leaving a sick target alone, and finding out when it is well again.

Each process judges by what it saw itself; what it decides it tells the others through the routing
store, so that a new Lambda knows before its first request. While a target is open it gets no
traffic; when its time is over one request, of one process, probes it.
"""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final, Literal, Protocol

from chalicelib.config import BreakerPolicy
from chalicelib.errors import StoreUnavailable
from chalicelib.splits import RoutingState

logger = logging.getLogger(__name__)

_REMEMBERED: Final = 100
"""Outcomes kept of a target: enough to judge by, and cheap to go through."""

Health = Literal["closed", "open", "probing"]


class BreakerStore(Protocol):
    """What the other processes know; `RoutingStore` is one."""

    def put_open_until(self, target: str, until: float) -> None: ...
    def claim_probe(self, target: str, until: float) -> bool: ...


class Breaker:
    def __init__(
        self,
        policy: BreakerPolicy,
        store: BreakerStore,
        state: Callable[[], RoutingState],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._policy = policy
        self._store = store
        self._state = state
        self._read = RoutingState()
        self._clock = clock
        self._outcomes: defaultdict[str, deque[tuple[float, bool]]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )
        self._decided: dict[str, tuple[float, float]] = {}  # target: (decided at, open until)
        self._lock = threading.Lock()

    def health(self, target: str) -> Health:
        """Whether `target` may be called: yes, no, or only as a probe.

        "probing" says that its time is over and nobody has found it well since.
        """
        until = self._open_until(target)
        if not until:
            return "closed"
        return "open" if self._clock() < until else "probing"

    def opens_again_in(self, target: str) -> float:
        """Seconds until `target` may be probed."""
        return max(0.0, self._open_until(target) - self._clock())

    def may_probe(self, target: str) -> bool:
        """Claim the one probe; the next one may be claimed when this has had its time."""
        now = self._clock()
        with self._lock:
            if self._open_until(target) > now:
                return False
            self._decided[target] = (now, now + self._policy.open_s)
        try:
            return self._store.claim_probe(target, now + self._policy.open_s)
        except StoreUnavailable:
            return True  # nobody else can be asked; this process probes for itself

    def record(self, target: str, *, ok: bool) -> None:
        """Take note of one call's outcome, and open or close the target by it."""
        now = self._clock()
        with self._lock:
            until = self._decide(target, now, ok=ok)
            if until is None:
                return
            self._outcomes.pop(target, None)
            self._decided[target] = (now, until)
        logger.warning("target %s: %s", "open" if until else "closed", target)
        try:
            self._store.put_open_until(target, until)
        except StoreUnavailable:
            logger.warning("other processes could not be told of %s", target)

    def _decide(self, target: str, now: float, *, ok: bool) -> float | None:
        """Until when the target is open from now on (0: closed), or None where nothing changes."""
        outcomes = self._outcomes[target]
        outcomes.append((now, ok))
        while outcomes[0][0] < now - self._policy.window_s:
            outcomes.popleft()
        was_open = bool(self._known_open_until(target))
        if ok:
            return 0 if was_open else None
        failures = sum(not good for _, good in outcomes)
        enough = len(outcomes) >= self._policy.min_calls
        sick = enough and failures >= self._policy.failure_ratio * len(outcomes)
        return now + self._policy.open_s if was_open or sick else None

    def _open_until(self, target: str) -> float:
        """By a state that may be read for this."""
        self._read = self._state()
        return self._known_open_until(target)

    def _known_open_until(self, target: str) -> float:
        """The newer of what this process decided and what it last read.

        Nothing is read for it: when an outcome is noted, the request's time may be over.
        """
        decided_at, until = self._decided.get(target, (-1.0, 0.0))
        return until if decided_at >= self._read.read_at else self._read.open_until.get(target, 0)
