"""Everything that can go wrong, and the one table that turns it into HTTP.

    Exception
    ├── GatewayError        an answer for the caller: code, message, field
    ├── UpstreamFailure     one target did not answer properly; `dispatch` may try the next
    ├── CallerFault         the target says the caller's request is wrong; nobody else is asked
    ├── StoreUnavailable    an AWS store could not be asked
    └── ConfigError         what the gateway was deployed with is wrong: file, key, reason

Messages are written here and in the code that raises, never copied from an upstream: what an
engine says may hold a prompt, an address or another tenant's name.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

BAD_REQUEST: Final = "invalid_request_error"

CODES: Final[Mapping[str, tuple[int, str]]] = {
    # code: (HTTP status, OpenAI error type)
    "invalid_json": (400, BAD_REQUEST),
    "invalid_request": (400, BAD_REQUEST),
    "streaming_unavailable": (400, BAD_REQUEST),
    "missing_key": (401, "authentication_error"),
    "invalid_key": (401, "authentication_error"),
    "forbidden": (403, "permission_error"),
    "unknown_team": (404, BAD_REQUEST),
    "unknown_variant": (404, BAD_REQUEST),
    "not_found": (404, BAD_REQUEST),
    "method_not_allowed": (405, BAD_REQUEST),
    "conflict": (409, BAD_REQUEST),
    "too_large": (413, BAD_REQUEST),
    "rate_limited": (429, "rate_limit_error"),
    "internal_error": (500, "server_error"),
    "upstream_error": (502, "server_error"),
    "judge_invalid": (502, "server_error"),
    "no_healthy_target": (503, "server_error"),
    "store_unavailable": (503, "server_error"),
    "upstream_timeout": (504, "server_error"),
}


class GatewayError(Exception):
    """What the caller is told."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        return CODES[self.code][0]

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The error in OpenAI's shape, so that its clients raise their own exceptions."""
        return {
            "error": {
                "message": self.message,
                "type": CODES[self.code][1],
                "code": self.code,
                "param": self.param,
                "correlation_id": correlation_id,
            }
        }


Reason = Literal[
    "connect",  # no connection: refused, unknown host, TLS
    "timeout",  # nothing, or nothing more, came in time
    "reset",  # the connection ended before the reply did
    "throttled",  # 429
    "unavailable",  # 5xx
    "rejected",  # 401, 403, 404 and the like: the target is set up wrongly
    "garbage",  # a reply that is not the JSON it should be
    "aborted",  # text cut off: no proper finish reason
    "wrong_model",  # another model answered than the one that was asked
    "too_large",  # more than a Lambda may return
    "open",  # not asked: its breaker leaves it alone for a while
]

RETRYABLE_ON_THE_SAME_TARGET: Final[frozenset[Reason]] = frozenset(
    {"connect", "throttled", "unavailable"}
)


class UpstreamFailure(Exception):  # noqa: N818  (a failure of one target, not yet an error)
    """One target did not answer properly."""

    def __init__(
        self, reason: Reason, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.status = status
        self.retry_after_s = retry_after_s


class CallerFault(Exception):  # noqa: N818  (the caller's fault, not the target's)
    """The target refuses the request for what is in it."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class StoreUnavailable(Exception):  # noqa: N818
    """A table or secret could not be read or written."""


class ConfigError(Exception):
    """A configuration that must not be served."""

    def __init__(self, source: str, key: str, reason: str) -> None:
        super().__init__(f"{source}: {key}: {reason}")
