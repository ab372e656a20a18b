"""What is asked, and with which key: the local stack, a deployed stage, or any address.

The local stack is asked with keys of its own, whatever the environment holds: a variable that is
set for a deployed stage is neither shown to it, nor in its way. Every other address gets the
environment's key, and none of the local stack's. A key is never an option, and never written down.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import httpx

from harness.errors import GatewayError, NoStackError, WrongInput
from harness.local.layout import Layout
from harness.local.state import StackState, running
from harness.plan import Plan

KEY_VARIABLE: Final = "LLMO_API_KEY"
TIMEOUT_S: Final = 90.0
"""Above the longest that a team's answer may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    gateway_url: str
    """Without a slash at its end."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By team. A team without one of its own is asked with `key`."""
    key: str = field(default="", repr=False)
    engines: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name, where engines can be reached past the gateway."""
    engine_api_key: str = field(default="", repr=False)
    local: bool = False

    @classmethod
    def of(cls, gateway: str | None, env: Mapping[str, str] = os.environ) -> Self:
        """The stage at `gateway`; else the local stack.

        Raises WrongInput for an address that is none, and NoStackError where nothing runs, or there
        is no key.
        """
        stack = cls.of_local()
        if gateway is None:
            return cls.needed(stack)
        url = address("--gateway", gateway)
        if stack and url == stack.gateway_url:
            return stack
        return cls(gateway_url=url, key=key_for(url, "", None, env))

    @classmethod
    def of_local(cls, layout: Layout | None = None) -> Self | None:
        """None where no local stack runs."""
        state = running((layout or Layout.of_repository()).state)
        return None if state is None else cls.of_stack(state)

    @classmethod
    def needed(cls, stack: Self | None) -> Self:
        """Raises NoStackError where it is none."""
        if stack is None:
            raise NoStackError(
                "no local stack is running: start it with 'make up', or name another place "
                f"(--gateway; run and benchmark: --url) and put its key into {KEY_VARIABLE}"
            )
        return stack

    @classmethod
    def of_stack(cls, state: StackState) -> Self:
        return cls(
            gateway_url=state.gateway_url.rstrip("/"),
            keys=state.keys,
            key=state.admin_key,
            engines={name: url.rstrip("/") for name, url in state.engines.items()},
            engine_api_key=state.engine_api_key,
            local=True,
        )

    def key_for(self, model: str) -> str:
        """`model`: a team, or team/variant."""
        return self.keys.get(model.partition("/")[0], self.key)

    def authorization(self, model: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key_for(model)}"}

    def key_at(self, url: str, model: str) -> str | None:
        """None for an address that is not the stage's."""
        if url == self.gateway_url:
            return self.key_for(model)
        return self.engine_api_key if url in self.engines.values() else None

    def client(self, *, at_once: int = 16, timeout_s: float = TIMEOUT_S) -> httpx.AsyncClient:
        """Asks the gateway, of a local stack without the caller's proxies. Keys are given with
        each request.
        """
        return httpx.AsyncClient(
            base_url=self.gateway_url,
            timeout=timeout_s,
            trust_env=not self.local,
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
        )


async def reached(stage: Stage, gateway: httpx.AsyncClient) -> None:
    """Raises GatewayError where nobody answers there, whatever the answer is."""
    try:
        await gateway.get("/health")
    except httpx.HTTPError as error:
        raise GatewayError(
            f"the gateway at {stage.gateway_url} does not answer ({type(error).__name__}): "
            "is it running, and is this its address?"
        ) from None


def address(option: str, given: str) -> str:
    """Without a slash at its end. Raises WrongInput for what is no address."""
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise WrongInput(
            f"{option} {given!r} is no address; it is like https://api.example.com/prod"
        )
    return given.rstrip("/")


def key_for(url: str, model: str, stack: Stage | None, env: Mapping[str, str] = os.environ) -> str:
    """The key for `model` at `url`, of the local stack where it is one of its addresses.

    Raises NoStackError where there is none, WrongInput for what can't be one.
    """
    url = url.rstrip("/")
    if stack and (key := stack.key_at(url, model)):
        return key
    if key := _of_environment(env):
        return key
    raise NoStackError(
        f"no key for {url}: put one in the environment variable {KEY_VARIABLE} "
        "(any text, where the server asks for none)"
    )


def keys_for(
    plan: Plan, stack: Stage | None, env: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """By the arms' names. Raises what `key_for` raises."""
    return {arm.name: key_for(arm.url, arm.model, stack, env) for arm in plan.arms}


def _of_environment(env: Mapping[str, str]) -> str:
    key = env.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or (key and not key.isprintable()):
        raise WrongInput(f"{KEY_VARIABLE} holds characters that no key has")
    return key
