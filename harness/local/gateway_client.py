"""The gateway from outside: the calls that the local stack makes of it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from harness.errors import GatewayError

TIMEOUT_S: Final = 90.0
"""Above the longest that a team's answer may take."""
_POLL_S: Final = 0.5


def client(url: str) -> httpx.AsyncClient:
    """Without the caller's proxies: all traffic stays on the loopback."""
    return httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False)


def authorization(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def create_key(
    gateway: httpx.AsyncClient, admin: str, team: str, scopes: Sequence[str]
) -> str:
    """A key for `team`, made by the holder of the key `admin`."""
    answer = await gateway.post(
        "/ops/keys",
        headers=authorization(admin),
        json={"name": f"local {team}", "teams": [team], "scopes": list(scopes)},
    )
    if answer.status_code != httpx.codes.CREATED:
        raise GatewayError(f"POST /ops/keys for {team}: {answer.status_code} {answer.text}")
    return str(answer.json()["key"])


async def readiness(gateway: httpx.AsyncClient) -> Mapping[str, Any]:
    """What `GET /ready` tells; why not, where it can't be asked."""
    try:
        document = (await gateway.get("/ready")).json()
    except (httpx.HTTPError, ValueError) as error:
        return {"status": "unreachable", "reason": type(error).__name__}
    return document if isinstance(document, dict) else {"status": "unreachable"}


async def wait_until_ready(gateway: httpx.AsyncClient, within_s: float) -> None:
    """Raises GatewayError, with what it says, where it isn't ready in time."""
    deadline = time.monotonic() + within_s
    while (document := await readiness(gateway)).get("status") != "ready":
        if time.monotonic() > deadline:
            raise GatewayError(f"the gateway is not ready after {within_s:g} s: {document}")
        await asyncio.sleep(_POLL_S)
