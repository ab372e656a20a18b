"""A running platform as the tests ask it: through the gateway, and behind its back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import psutil

from harness.local.state import StackState

SUM: Final = "What is 2+2?"
GREEDY: Final = {"temperature": 0, "max_tokens": 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    state: StackState
    gateway: httpx.Client
    already_up: bool
    """Somebody else's, to be left running."""

    def post(self, path: str, body: dict[str, Any], *, key: str) -> httpx.Response:
        """With the key of the team `key`."""
        return self.gateway.post(path, json=body, headers=bearer(self.state.keys[key]))

    def predict(self, team: str, *, key: str = "", **body: object) -> httpx.Response:
        asked = {"prompt": SUM, **GREEDY, **body}
        return self.post(f"/api/{team}/predict", asked, key=key or team)

    def engine(self, name: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Asked directly, past the gateway."""
        response = httpx.request(
            "GET" if body is None else "POST",
            self.state.engines[name] + path,
            json=body,
            headers=bearer(self.state.engine_api_key),
            timeout=90,
            trust_env=False,
        )
        return response.raise_for_status()

    def served(self, name: str) -> float:
        """Requests that the engine says it has finished."""
        text = self.engine(name, "/metrics").text
        counts = re.findall(r"^vllm:request_success_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
        return sum(map(float, counts))

    def processes(self) -> list[psutil.Process]:
        """Everything that the supervisor has started, and itself."""
        supervisor = psutil.Process(self.state.supervisor.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def process(self, *words: str) -> psutil.Process:
        """The one process of the platform whose command line has all of `words`."""
        (found,) = (
            process
            for process in self.processes()
            if all(word in " ".join(process.cmdline()) for word in words)
        )
        return found


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """A process that hangs: it has its port and answers nobody."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()
