"""The gateway answers the requests of the set `failures` as the set says it must."""

import json
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from harness.promptsets.rows import Expected, Request, Row
from harness.promptsets.store import load

if TYPE_CHECKING:
    from tests.integration.conftest import Stack

NEEDS_A_MODEL: Final = {"item:prompt-over-the-context"}  # only a real engine has a context
ROWS: Final = [
    row
    for row in load("failures").rows
    if row.category in {"malformed", "oversized"} and not NEEDS_A_MODEL & set(row.tags)
]


def body(request: Request) -> bytes:
    text = request.raw if request.raw is not None else json.dumps(request.body)
    return text.replace("{fill}", "x" * request.fill).encode()


def parts(row: Row) -> tuple[Request, Expected]:
    assert row.request is not None
    assert row.expect is not None
    return row.request, row.expect


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.tags[1].removeprefix("item:"))
def test_a_faulty_request_gets_the_answer_it_must(
    row: Row, shipped: "Stack", admin: httpx.Client
) -> None:
    request, expect = parts(row)
    headers = dict(admin.headers) | {"content-type": "application/json"} | request.headers
    answer = httpx.request(
        request.method,
        shipped.gateway.url + request.path.replace("{team}", "quant"),
        content=body(request),
        headers={name: value for name, value in _last(headers).items() if value},
        timeout=30,
    )
    error: dict[str, Any] = answer.json()["error"]
    assert answer.status_code in expect.status
    assert error["code"] in expect.code
    if expect.param is not None:
        assert error["param"] == expect.param


def _last(headers: dict[str, str]) -> dict[str, str]:
    """One header of each name, the row's own over the client's."""
    return {name.casefold(): value for name, value in headers.items()}
