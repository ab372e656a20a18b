"""What every response must be like, whatever was asked."""

import re
from collections.abc import Callable
from typing import Any, Final

import httpx

from chalicelib.errors import CODES

CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
ROUTE_HEADERS: Final = ("x-route-team", "x-route-variant", "x-route-target", "x-route-version")
_INTERNAL: Final = re.compile(
    r"127\.0\.0\.1|localhost|https?://|Traceback|\.py\b|Error\(|<html|The engine|http\.client"
)


def check_headers(response: httpx.Response) -> None:
    headers = response.headers
    assert CORRELATION_ID.fullmatch(headers["x-correlation-id"])
    for name in ROUTE_HEADERS:
        assert headers[name]
    assert re.fullmatch(r"\d+\.\d{3}", headers["x-latency-ms"])


def check_error(response: httpx.Response, code: str, param: str | None = None) -> dict[str, Any]:
    """The error of a response that must be exactly this one, in the contract's shape."""
    check_headers(response)
    assert response.headers["content-type"].startswith("application/json")
    document = response.json()
    assert set(document) == {"error"}
    error: dict[str, Any] = document["error"]
    assert set(error) == {"message", "type", "code", "param", "correlation_id"}
    assert (error["code"], error["param"]) == (code, param), error
    assert (response.status_code, error["type"]) == CODES[code]
    assert error["correlation_id"] == response.headers["x-correlation-id"]
    assert error["message"]
    assert not _INTERNAL.search(response.text), response.text
    return error


def check_ok(response: httpx.Response) -> dict[str, Any]:
    check_headers(response)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def asked(ask: Callable[[], httpx.Response], times: int = 5) -> httpx.Response:
    """The answer, asking again while the store is too busy to be waited for, as a caller would."""
    answers = (ask() for _ in range(times))
    return next(answer for answer in answers if answer.status_code != 503)
