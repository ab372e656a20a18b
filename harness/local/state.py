"""`build/local.json`: all that is needed to use a running stack, and nothing once it stopped."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from harness.local.identity import ProcessIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """The AWS stand-in and credentials that are worth nothing elsewhere."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    gateway_url: str
    admin_key: str = field(repr=False)
    keys: Mapping[str, str] = field(repr=False)
    """A key for each team, by the team's name."""
    engines: Mapping[str, str]
    """The engines' addresses by name."""
    engine_api_key: str = field(repr=False)
    aws: AwsAccess
    sagemaker_runtime_url: str
    supervisor: ProcessIdentity
    logs: str

    def to_json(self) -> dict[str, Any]:
        return {
            "gateway_url": self.gateway_url,
            "admin_key": self.admin_key,
            "keys": dict(self.keys),
            "engines": dict(self.engines),
            "engine_api_key": self.engine_api_key,
            "aws": {name: getattr(self.aws, name) for name in AwsAccess.__slots__},
            "sagemaker_runtime_url": self.sagemaker_runtime_url,
            "supervisor": self.supervisor.to_json(),
            "logs": self.logs,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError where it is no state."""
        supervisor = ProcessIdentity.from_json(document["supervisor"])
        if supervisor is None:
            raise ValueError("it names no supervisor")
        return cls(
            **{**document, "aws": AwsAccess(**document["aws"]), "supervisor": supervisor},
        )


def publish(state: StackState, path: Path) -> None:
    """Whole or not at all, and for this user's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(state.to_json(), indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def running(path: Path) -> StackState | None:
    """The stack that `path` tells of, if its supervisor still runs."""
    try:
        state = StackState.from_json(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if state.supervisor.alive else None
