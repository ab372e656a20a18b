"""The file that tells others where the engines are, while they run."""

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gpu_fleet.engine_process import Launch
from gpu_fleet.errors import SetupError

CONNECT_TIMEOUT_S: Final = 2.0


def publish(state: Path, running: Mapping[int, Launch]) -> None:
    """Whole or not at all, and for this user's eyes only; `running` maps process id to engine."""
    content = {
        "engines": {
            launch.name: {
                "url": launch.url,
                "pid": pid,
                "log": str(launch.log),
                "models": list(launch.models),
            }
            for pid, launch in running.items()
        }
    }
    state.parent.mkdir(parents=True, exist_ok=True)
    unfinished = state.with_name(f".{state.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(state)


def withdraw(state: Path) -> None:
    state.unlink(missing_ok=True)


def refuse_second_fleet(state: Path) -> None:
    """Raises SetupError where an engine of `state` answers; removes what a killed fleet left."""
    for name, url in _recorded(state).items():
        if _accepts_connections(url):
            raise SetupError(
                f"engine {name} already runs at {url}, says {state}: "
                "stop that fleet first, or name another file with --state"
            )
    withdraw(state)


def _recorded(state: Path) -> dict[str, str]:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        engines = json.loads(state.read_text(encoding="utf-8"))["engines"]
        return {name: str(engine["url"]) for name, engine in engines.items()}
    return {}


def _accepts_connections(url: str) -> bool:
    with suppress(OSError, ValueError):
        place = urlsplit(url)
        with socket.create_connection((place.hostname or "", place.port or 0), CONNECT_TIMEOUT_S):
            return True
    return False
