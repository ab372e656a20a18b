"""A fake vLLM engine with known truth: for tests, benchmarks and load generators."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

from chalicelib.backends import Call, Reply
from chalicelib.backends.fake.behaviour import FAULTS, Behaviour, BehaviourError, Fault, changed
from chalicelib.backends.fake.engine import JSON, FakeAnswer, respond, suffers
from chalicelib.deadline import Deadline
from chalicelib.errors import Reason, UpstreamFailure

__all__ = [
    "FAULTS",
    "Behaviour",
    "BehaviourError",
    "FakeAnswer",
    "FakeBackend",
    "FakeEngine",
    "Fault",
    "changed",
    "respond",
]

_RECORDED: Final = 1000
_BROKEN_OFF: Final[Mapping[Fault, Reason]] = {
    "reset": "reset",
    "truncate": "reset",
    "huge": "too_large",
}


class FakeEngine:
    """One engine: a behaviour that can be replaced, and the count of what its fault could hit."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._ordinal = 0
        self._lock = Lock()

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        """From now on, and counting requests from 0 again."""
        with self._lock:
            self._behaviour = behaviour
            self._ordinal = 0

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> FakeAnswer:
        with self._lock:
            behaviour, ordinal = self._behaviour, self._ordinal
            self._ordinal += suffers(behaviour, path)
        return respond(
            behaviour,
            path,
            body,
            method=method,
            headers=headers,
            ordinal=ordinal,
            created=int(time.time()),
        )


class FakeBackend:
    """The `Backend` protocol without a network; every place is an engine of its own.

    `engines[place].behaviour` can be replaced at any time; `calls` holds the latest calls.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        shared = behaviour or Behaviour()
        self.engines: defaultdict[str, FakeEngine] = defaultdict(lambda: FakeEngine(shared))
        self.calls: deque[tuple[str, Call]] = deque(maxlen=_RECORDED)
        self._sleep = sleep

    def send(self, place: str, call: Call, deadline: Deadline) -> Reply:
        self.calls.append((place, call))
        engine = self.engines[place]
        key = engine.behaviour.api_key
        authorization = {"authorization": f"Bearer {key}"} if key else {}
        headers = {**JSON, **authorization, **call.headers}
        answer = engine.answer("POST", call.path, headers, call.body)
        return self._delivered(engine.behaviour, answer, deadline)

    def probe(self, place: str, deadline: Deadline) -> None:
        engine = self.engines[place]
        answer = engine.answer("GET", "/health", {}, b"")
        reply = self._delivered(engine.behaviour, answer, deadline)
        if reply.status != 200:  # noqa: PLR2004
            raise UpstreamFailure("unavailable", status=reply.status)

    def _delivered(self, behaviour: Behaviour, answer: FakeAnswer, deadline: Deadline) -> Reply:
        if answer.wire == "refuse":
            raise UpstreamFailure("connect")
        body = answer.content()
        self._wait(_seconds(behaviour, answer, len(body)), deadline)
        if answer.wire in _BROKEN_OFF:
            raise UpstreamFailure(_BROKEN_OFF[answer.wire])
        return Reply(status=answer.status, headers=answer.headers, body=body)

    def _wait(self, seconds: float, deadline: Deadline) -> None:
        if seconds >= deadline.remaining:
            self._sleep(deadline.remaining)
            raise UpstreamFailure("timeout")
        if seconds > 0:
            self._sleep(seconds)


def _seconds(behaviour: Behaviour, answer: FakeAnswer, length: int) -> float:
    """How long the answer takes to arrive completely."""
    if answer.wire in {"hang", "stall"}:
        return float("inf")
    if answer.wire == "trickle":
        return answer.first_s + behaviour.trickle_interval_s * length
    return answer.whole_s
