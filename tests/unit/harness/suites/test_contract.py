"""What is wrong with an answer, told from the answer alone."""

from typing import Any

import httpx
import pytest

from harness.demo.proof import CONTRACT_HEADERS
from harness.suites.contract import answer_problems, error_problems, header_problems

HEADERS = dict.fromkeys(CONTRACT_HEADERS, "x")
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ANSWER = {"output": "4", "finish_reason": "stop", "usage": USAGE}
ERROR = {
    "message": "no such team",
    "type": "invalid_request_error",
    "code": "unknown_team",
    "param": "model",
    "correlation_id": "x",
}


def response(document: object, status: int = 200, **without: bool) -> httpx.Response:
    headers = {name: value for name, value in HEADERS.items() if name not in without}
    return httpx.Response(status, json=document, headers=headers)


def test_a_whole_answer_of_either_contract_has_no_problem() -> None:
    assert answer_problems(response(ANSWER)) == []
    choice = {"message": {"content": "4"}, "finish_reason": "length"}
    assert answer_problems(response({"choices": [choice], "usage": USAGE})) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"output": ""}, "the answer is empty"),
        ({"output": " \n"}, "the answer is empty"),
        ({"output": None}, "the answer is empty"),
        ({"finish_reason": "abort"}, "finish reason 'abort'"),
        ({"finish_reason": None}, "finish reason 'none'"),
        ({"usage": None}, "it has no usage"),
        (
            {"usage": {**USAGE, "completion_tokens": 0}},
            "usage says 3 prompt and 0 completion tokens",
        ),
        ({"usage": {**USAGE, "total_tokens": 6}}, "usage: 3 + 2 is not 6"),
    ],
)
def test_each_flaw_of_an_answer_is_told(changed: dict[str, Any], problem: str) -> None:
    assert answer_problems(response({**ANSWER, **changed})) == [problem]


def test_an_error_is_no_answer() -> None:
    assert answer_problems(response({"error": ERROR}, 502))[0].startswith("502 instead of 200")


def test_something_else_than_json_is_no_answer() -> None:
    page = httpx.Response(200, text="<html>", headers=HEADERS)
    assert "the answer is empty" in answer_problems(page)


@pytest.mark.parametrize("name", CONTRACT_HEADERS)
def test_each_header_is_missed(name: str) -> None:
    assert header_problems(response(ANSWER, **{name: False})) == [f"no {name}"]


def test_an_error_as_promised_has_no_problem() -> None:
    assert error_problems(response({"error": ERROR}, 404), ("unknown_team",), "model") == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"code": "not_found"}, "code 'not_found' instead of unknown_team"),
        ({"param": None}, "param None instead of 'model'"),
        ({"correlation_id": "y"}, "the error's correlation id is not the header's"),
        ({"message": ""}, "it has no message"),
        ({"message": "Traceback: x"}, "the message shows the inside: 'Traceback'"),
        ({"message": "http://127.0.0.1:8"}, "the message shows the inside: '127.0.0.1'"),
    ],
)
def test_each_flaw_of_an_error_is_told(changed: dict[str, Any], problem: str) -> None:
    found = error_problems(
        response({"error": {**ERROR, **changed}}, 404), ("unknown_team",), "model"
    )
    assert found == [problem]


@pytest.mark.parametrize(
    "document", [None, [], {}, {"error": None}, {"error": "x"}, {"error": {**ERROR, "more": 1}}]
)
def test_an_error_of_another_shape_is_told(document: object) -> None:
    assert "without the contract's error" in error_problems(response(document, 404))[0]
