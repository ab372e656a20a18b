"""Whom a run asks, and with which key: never an option, never written into a plan."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.errors import NoStackError, WrongInput
from harness.local.state import StackState
from harness.plan import Arm, Plan
from harness.stage import KEY_VARIABLE, environment_key

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


def access(asked: Asked, stack: StackState | None, env: Mapping[str, str]) -> Access:
    """Raises WrongInput for contradictions, NoStackError where nothing runs or there is no key."""
    if asked.team and asked.model:
        raise WrongInput("--team and --model: give one of them")
    if asked.url and asked.engine:
        raise WrongInput("--url and --engine: give one of them")
    if asked.engine:
        url = _engine(asked.engine, stack)
    elif asked.url:
        url = asked.url.rstrip("/")
    else:
        url = _running(stack).gateway_url.rstrip("/")
    named = asked.model or asked.team
    gateway = asked.engine is None and (asked.url is None or asked.team is not None)
    model = named or (TEAM if gateway else None)
    stream = asked.stream if asked.stream is not None else not gateway
    api = asked.api or ("chat" if stream or not gateway else "predict")
    if stream and stack and url == stack.gateway_url.rstrip("/"):
        raise WrongInput(
            "the gateway answers whole: leave out --stream, or ask an engine "
            f"(--engine {' | '.join(stack.engines)})"
        )
    return Access(url=url, model=model, api=api, stream=stream, key=key_for(url, model, stack, env))


def keys_for(plan: Plan, stack: StackState | None, env: Mapping[str, str]) -> dict[str, str]:
    """By the arms' names. Raises NoStackError where there is none."""
    return {arm.name: _key_of(arm, stack, env) for arm in plan.arms}


def key_for(url: str, model: str | None, stack: StackState | None, env: Mapping[str, str]) -> str:
    """The key of the environment, else the local stack's for its own addresses."""
    if key := environment_key(env):
        return key
    if stack and url == stack.gateway_url.rstrip("/"):
        team = (model or TEAM).partition("/")[0]
        return stack.keys.get(team) or next(iter(stack.keys.values()))
    if stack and url in {engine.rstrip("/") for engine in stack.engines.values()}:
        return stack.engine_api_key
    raise NoStackError(
        f"no key for {url}: put one in the environment variable {KEY_VARIABLE} "
        "(any text, where the server asks for none)"
    )


def environment() -> Mapping[str, str]:
    return os.environ


def _key_of(arm: Arm, stack: StackState | None, env: Mapping[str, str]) -> str:
    return key_for(arm.url.rstrip("/"), arm.model, stack, env)


def _running(stack: StackState | None) -> StackState:
    if stack is None:
        raise NoStackError(
            "no local stack is running: start it with 'make up', or name a server (--url; for "
            f"compare --gateway) and put its key into {KEY_VARIABLE}"
        )
    return stack


def _engine(name: str, stack: StackState | None) -> str:
    engines = _running(stack).engines
    if name not in engines:
        raise WrongInput(f"--engine {name!r}: the local stack has {', '.join(engines)}")
    return engines[name].rstrip("/")
