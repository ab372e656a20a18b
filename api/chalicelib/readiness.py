"""Can every team be answered? Each target is asked for one token, and what it did is remembered.

Nothing less is proof: an engine that is shut down or lacks a kernel still says that it is healthy.
The question is open to anybody, so it costs no more however often it is asked.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from chalicelib.answers import read_answer
from chalicelib.backends import Backend, Call
from chalicelib.config import Config, Team
from chalicelib.deadline import Deadline
from chalicelib.dispatch import Candidate
from chalicelib.errors import CallerFault, UpstreamFailure

PROBE_S: Final = 5.0
KEEP_S: Final = 10.0
_QUESTION: Final = {
    "messages": [{"role": "user", "content": "ping"}],
    "max_tokens": 1,
    "temperature": 0,
}


class Readiness(NamedTuple):
    ready: bool
    teams: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        return {"status": "ready" if self.ready else "not_ready", "teams": dict(self.teams)}


class ReadinessCheck:
    def __init__(
        self,
        config: Callable[[], Config],
        backends: Callable[[], Mapping[str, Backend]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._backends = backends
        self._clock = clock
        self._known: tuple[float, Readiness] | None = None
        self._asking = threading.Lock()

    def current(self) -> Readiness:
        """What is known, at most a few seconds old.

        Raises:
            ConfigError: the configuration does not load.
        """
        with self._asking:
            now = self._clock()
            if self._known and now - self._known[0] < KEEP_S:
                return self._known[1]
            readiness = self._ask()
            self._known = (self._clock(), readiness)
            return readiness

    def _ask(self) -> Readiness:
        config, backends = self._config(), self._backends()
        everywhere = [
            Candidate(variant=variant, target=target)
            for team in config.teams.values()
            for variant in team.variants.values()
            for target in variant.targets
        ]
        with ThreadPoolExecutor(max_workers=len(everywhere)) as pool:
            states = pool.map(lambda candidate: _state(candidate, backends), everywhere)
            found = dict(zip(everywhere, states, strict=True))
        teams = {team.name: _team(team, found) for team in config.teams.values()}
        return Readiness(ready=all(team["ready"] for team in teams.values()), teams=teams)


def _state(candidate: Candidate, backends: Mapping[str, Backend]) -> str:
    """Whether the candidate gives a token, or why not."""
    target, model = candidate.target, candidate.variant.model
    body = json.dumps({"model": model, **_QUESTION}).encode()
    call = Call(path="/v1/chat/completions", body=body)
    try:
        reply = backends[target.backend].send(target.place, call, Deadline.after(PROBE_S))
        read_answer(reply, model=model)
    except UpstreamFailure as failure:
        return failure.reason
    except CallerFault:
        return "rejected"
    return "ok"


def _team(team: Team, found: Mapping[Candidate, str]) -> dict[str, Any]:
    variants = {
        variant.name: {
            target.name: found[Candidate(variant=variant, target=target)]
            for target in variant.targets
        }
        for variant in team.variants.values()
    }
    mute = [name for name, targets in variants.items() if "ok" not in targets.values()]
    described: dict[str, Any] = {"ready": len(mute) < len(variants), "variants": variants}
    if mute:
        described["reason"] = f"no target answers for {', '.join(mute)}"
    return described
