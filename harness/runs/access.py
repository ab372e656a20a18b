"""Whom a run asks, and how."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.errors import WrongInput
from harness.stage import Stage, key_for

TEAM: Final = "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    url: str
    model: str | None
    """None: the first that is served there."""
    api: str
    stream: bool
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said on the command line, or in a plan's file."""

    team: str | None = None
    model: str | None = None
    url: str | None = None
    engine: str | None = None
    api: str | None = None
    stream: bool | None = None


def access(asked: Asked, stack: Stage | None, env: Mapping[str, str] = os.environ) -> Access:
    """`stack`: the local one, if it runs.

    Raises WrongInput for contradictions, NoStackError where nothing runs or there is no key.
    """
    if asked.team and asked.model:
        raise WrongInput("--team and --model: give one of them")
    if asked.url and asked.engine:
        raise WrongInput("--url and --engine: give one of them")
    if asked.engine:
        url = _engine(asked.engine, stack)
    elif asked.url:
        url = asked.url.rstrip("/")
    else:
        url = Stage.needed(stack).gateway_url
    named = asked.model or asked.team
    gateway = asked.engine is None and (asked.url is None or asked.team is not None)
    model = named or (TEAM if gateway else None)
    stream = asked.stream if asked.stream is not None else not gateway
    api = asked.api or ("chat" if stream or not gateway else "predict")
    if stream and stack and url == stack.gateway_url:
        raise WrongInput(
            "the gateway answers whole: leave out --stream, or ask an engine "
            f"(--engine {' | '.join(stack.engines)})"
        )
    key = key_for(url, model or "", stack, env)
    return Access(url=url, model=model, api=api, stream=stream, key=key)


def _engine(name: str, stack: Stage | None) -> str:
    engines = Stage.needed(stack).engines
    if name not in engines:
        raise WrongInput(f"--engine {name!r}: the local stack has {', '.join(engines)}")
    return engines[name]
