"""One request on its way: who asks, where it was routed, and what every response says of that."""

import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from chalicelib.auth import Principal
from chalicelib.config import NOBODY
from chalicelib.errors import GatewayError

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True, kw_only=True)
class Route:
    """Where a request goes; filled in as it is decided."""

    team: str = NOBODY
    variant: str = NOBODY
    target: str = NOBODY
    version: str = NOBODY
    reason: str = NOBODY
    fallback: str | None = None

    def headers(self) -> dict[str, str]:
        headers = {
            "X-Route-Team": self.team,
            "X-Route-Variant": self.variant,
            "X-Route-Target": self.target,
            "X-Route-Version": self.version,
        }
        if self.fallback:
            headers["X-Route-Fallback"] = self.fallback
        return headers


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request and what is known of it so far."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    authorizer: Mapping[str, str] = field(default_factory=dict)
    time_left_s: float | None = None
    """What the platform still grants, or None where it doesn't say."""
    request_id: str = ""
    """The platform's own id, which its access log has; the correlation id where none is given."""
    correlation_id: str = field(init=False)
    route: Route = field(default_factory=Route)
    usage: dict[str, int] = field(default_factory=dict)
    """The tokens the engine counted."""
    started: float = field(default_factory=time.perf_counter)
    _principal: Principal | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        given = self.headers.get("x-correlation-id", "")
        candidates = (given, self.request_id)
        valid = (one for one in candidates if _CORRELATION_ID.fullmatch(one))
        self.correlation_id = next(valid, None) or secrets.token_hex(16)

    @property
    def latency_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 3)

    @property
    def unit(self) -> str:
        """What a split sticks to where the body names nothing: a session, else this request."""
        session = self.headers.get("x-session-id")
        if session is None:
            return self.correlation_id
        if not 1 <= len(session) <= 256:  # noqa: PLR2004
            raise GatewayError(
                "invalid_request",
                "'X-Session-ID' must have from 1 to 256 characters.",
                param="X-Session-ID",
            )
        return session

    def check_headers(self) -> None:
        """Raises:
        GatewayError: the caller's correlation id can't be used.
        """
        given = self.headers.get("x-correlation-id")
        if given is not None and given != self.correlation_id:
            raise GatewayError(
                "invalid_request",
                "'X-Correlation-ID' must have from 1 to 128 characters of A-Z a-z 0-9 . _ -",
                param="X-Correlation-ID",
            )

    def principal(self) -> Principal:
        """Who asks.

        Raises:
            GatewayError: `missing_key` or `invalid_key`.
        """
        if self._principal is None:
            self._principal = self._recognised()
        return self._principal

    def _recognised(self) -> Principal:
        if "key_id" in self.authorizer:
            return Principal.from_context(self.authorizer)
        code = self.authorizer.get("denied", "missing_key")
        if code == "invalid_key":
            raise GatewayError(code, "This key is unknown, disabled or expired.")
        raise GatewayError("missing_key", "Send a key: 'Authorization: Bearer llmo_…'.")

    def response_headers(self) -> dict[str, str]:
        """What every response carries, an error too."""
        return {
            "X-Correlation-ID": self.correlation_id,
            **self.route.headers(),
            "X-Latency-Ms": f"{self.latency_ms:.3f}",
        }


current: ContextVar[Exchange] = ContextVar("current exchange")
