"""Requests that are wrong on purpose, and what must come of them."""

import httpx
import pytest

from harness.demo.proof import CONTRACT_HEADERS
from harness.promptsets.rows import Expected, Request
from harness.suites.steps.requests import Answer, body_of, problems_of

HEADERS = dict.fromkeys(CONTRACT_HEADERS, "x")
ERROR = {"message": "m", "type": "t", "code": "too_large", "param": None, "correlation_id": "x"}


def answers(*statuses: int) -> list[Answer]:
    return [
        httpx.Response(status, json={"error": ERROR} if status >= 400 else {}, headers=HEADERS)
        for status in statuses
    ]


def test_a_body_is_sent_as_json_or_as_it_is() -> None:
    assert body_of(Request(kind="malformed", path="/", body={"a": 1})) == b'{"a":1}'
    assert body_of(Request(kind="malformed", path="/", body=None)) == b"null"
    assert body_of(Request(kind="malformed", path="/", raw="{")) == b"{"
    assert body_of(Request(kind="malformed", path="/", raw="")) == b""
    assert body_of(Request(kind="malformed", path="/")) is None


def test_letters_fill_a_body_up() -> None:
    request = Request(kind="oversized", path="/", body={"prompt": "{fill}"}, fill=3)
    assert body_of(request) == b'{"prompt":"xxx"}'


def test_what_was_expected_is_no_problem() -> None:
    expected = Expected(status=(200, 413), code=("too_large",), at_least={"200": 1})
    assert problems_of(answers(200, 413, 413), expected) == []


@pytest.mark.parametrize(
    ("got", "expected", "problem"),
    [
        (answers(500), Expected(status=(413,)), "500 instead of 413"),
        (answers(413), Expected(status=(413,), code=("invalid_json",)), "code 'too_large'"),
        (answers(413), Expected(status=(413,), param="prompt"), "param None"),
        (["ReadTimeout"], Expected(status=(200,)), "ReadTimeout"),
        (
            answers(413, 413),
            Expected(status=(200, 413), at_least={"200": 1}),
            "0 times 200 instead of 1 or more",
        ),
    ],
)
def test_what_was_not_expected_is_told(got: list[Answer], expected: Expected, problem: str) -> None:
    assert problems_of(got, expected)[0].startswith(problem)


def test_many_alike_are_told_once_with_their_number() -> None:
    found = problems_of(["ConnectError"] * 40, Expected(status=(200,)))
    assert found == ["ConnectError (40 times)"]
