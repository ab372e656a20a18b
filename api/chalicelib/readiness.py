"""Can every team be answered? Asked of the targets themselves, and remembered for a few seconds.

The question is open to anybody, so it must cost little however often it is asked.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from chalicelib.backends import Backend
from chalicelib.config import Config, Target, Team
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure

PROBE_S: Final = 2.0
KEEP_S: Final = 5.0


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
        targets = list(config.targets())
        with ThreadPoolExecutor(max_workers=len(targets)) as pool:
            found = pool.map(lambda target: _probe(target, backends), targets)
            states = dict(zip((target.name for target in targets), found, strict=True))
        teams = {team.name: _team(team, states) for team in config.teams.values()}
        return Readiness(ready=all(team["ready"] for team in teams.values()), teams=teams)


def _probe(target: Target, backends: Mapping[str, Backend]) -> str:
    try:
        backends[target.backend].probe(target.place, Deadline.after(PROBE_S))
    except UpstreamFailure as failure:
        return failure.reason
    return "ok"


def _team(team: Team, states: Mapping[str, str]) -> dict[str, Any]:
    targets = {t.name: states[t.name] for v in team.variants.values() for t in v.targets}
    answering = [name for name, state in targets.items() if state == "ok"]
    described: dict[str, Any] = {"ready": bool(answering), "targets": targets}
    if not answering:
        described["reason"] = "no target answers"
    return described
