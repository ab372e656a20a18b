"""An arm's requests as bytes: what never changes is written once."""

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from harness.draws import words
from harness.errors import PlanError
from harness.load.apis import APIS
from harness.load.item import Item
from harness.plan import Arm, Plan

_CORRELATION_MAX: Final = 128
_INDEX_DIGITS: Final = 20
_encode: Final = msgspec.json.Encoder().encode


class Requests:
    """The requests of one arm."""

    def __init__(self, plan: Plan, arm: Arm, host: str, key: str | None) -> None:
        """Raises PlanError for a key that can't stand in a header."""
        self._generation = plan.generation
        self._api = APIS[arm.api]
        self._run = correlation_base(plan.run_id)
        self._prefix = words(plan.seed, f"prefix of {plan.run_id}")
        path = urlsplit(arm.url).path.rstrip("/") + self._api.path(arm)
        accept = "text/event-stream" if arm.stream else "application/json"
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: llm-optimization-harness\r\n"
            f"Content-Type: application/json\r\nAccept: {accept}\r\n{_authorization(arm, key)}"
        )

    def correlation_id(self, index: int) -> str:
        return f"{self._run}-{index}"

    def bytes_of(self, item: Item) -> bytes:
        """The session, by which a team's split is dealt, is the pair's."""
        begin = f"[{self._prefix(item.index):016x}] " if self._generation.unique_prefix else ""
        body = _encode(self._api.body(item, self._generation, begin))
        head = (
            f"{self._head}X-Correlation-ID: {self._run}-{item.index}\r\n"
            f"X-Session-ID: {self._run}-{item.pair}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def correlation_base(run_id: str) -> str:
    """As much of the run's id as the gateway takes in a correlation id."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", run_id)[: _CORRELATION_MAX - 1 - _INDEX_DIGITS]


def _authorization(arm: Arm, key: str | None) -> str:
    if not key:
        return ""
    if not (key.isascii() and key.isprintable()):
        raise PlanError(f"the key for arm {arm.name!r} has characters that no key has")
    return f"Authorization: Bearer {key}\r\n"
