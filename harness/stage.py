"""What is asked: the local stack, or a deployed stage; its address, its keys, its engines."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import httpx

from harness.errors import GatewayError, NoStackError, WrongInput
from harness.local.layout import Layout
from harness.local.state import StackState, running

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
    def of(cls, gateway: str | None, layout: Layout | None = None) -> Self:
        """The stage at `gateway`, with the key of the environment; else the local stack.

        Raises WrongInput for an address that is none, and NoStackError where there is no key, or
        nothing runs.
        """
        if gateway is not None:
            return cls(gateway_url=_address(gateway), key=_key())
        state = running((layout or Layout.of_repository()).state)
        if state is None:
            raise NoStackError(
                "no local stack is running: start it with 'make up', or name a stage with "
                f"--gateway and its key in {KEY_VARIABLE}"
            )
        return cls.of_stack(state)

    @classmethod
    def of_stack(cls, state: StackState) -> Self:
        return cls(
            gateway_url=state.gateway_url.rstrip("/"),
            keys=state.keys,
            key=state.admin_key,
            engines=state.engines,
            engine_api_key=state.engine_api_key,
            local=True,
        )

    def key_for(self, team: str) -> str:
        return self.keys.get(team, self.key)

    def authorization(self, team: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key_for(team)}"}

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


def _address(gateway: str) -> str:
    try:
        url = httpx.URL(gateway)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise WrongInput(
            f"--gateway {gateway!r} is no address; it is like https://api.example.com/prod"
        )
    return gateway.rstrip("/")


def environment_key(env: Mapping[str, str] = os.environ) -> str:
    """The caller's key, empty where there is none. Raises WrongInput for what can't be one."""
    key = env.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or (key and not key.isprintable()):
        raise WrongInput(f"{KEY_VARIABLE} holds characters that no key has")
    return key


def _key() -> str:
    key = environment_key()
    if not key:
        raise NoStackError(
            f"no key: put the stage's key in the environment variable {KEY_VARIABLE}"
        )
    return key
