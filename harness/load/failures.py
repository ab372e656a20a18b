"""What can be wrong with a request, as a short name in its record.

An answer counts as one only where it is whole and ended properly: an engine that is shut down says
200 and cuts the text off.
"""

from collections.abc import Mapping
from typing import Final

CONNECT: Final = "connect"
TIMEOUT: Final = "timeout"
RESET: Final = "reset"
ABORTED: Final = "aborted"
GARBAGE: Final = "garbage"
TOO_LARGE: Final = "too_large"
CLIENT_LIMIT: Final = "client_limit"

PROPER_ENDINGS: Final = frozenset({"stop", "length", "tool_calls"})

_MEANINGS: Final[Mapping[str, str]] = {
    CONNECT: "no connection could be made",
    TIMEOUT: "the answer was not complete in time",
    RESET: "the connection broke off before the answer was complete",
    ABORTED: "the model was stopped before it had finished: no proper finish reason",
    GARBAGE: "an answer that can't be read, has no token counts, or holds an error",
    TOO_LARGE: "the answer went over the size that is read",
    CLIENT_LIMIT: "not sent: as many requests as allowed were in flight, or no socket was left",
    "http_3xx": "the server redirects, which is not followed",
    "http_401": "the key is missing or not valid",
    "http_403": "the key may not do this",
    "http_404": "there is no such path, team or model",
    "http_429": "the server limits the rate",
    "http_4xx": "the server refuses the request",
    "http_5xx": "the server failed",
}
_TOLD_APART: Final = frozenset({401, 403, 404, 429})


def of_status(status: int) -> str:
    """The class of an HTTP status; empty for 2xx."""
    if 200 <= status < 300:  # noqa: PLR2004  # HTTP's classes
        return ""
    return f"http_{status}" if status in _TOLD_APART else f"http_{status // 100}xx"


def of_ending(finish_reason: str) -> str:
    """Empty where the model ended by itself or at the limit that it was given."""
    return "" if finish_reason in PROPER_ENDINGS else ABORTED


def describe(error: str) -> str:
    """One clause for people; an unknown class describes itself."""
    return _MEANINGS.get(error, error)
