from typing import Any

import msgspec
import pytest

from harness.load import failures
from harness.load.answers import predicted, whole

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
PREDICTED = {
    "output": "4",
    "finish_reason": "stop",
    "usage": USAGE,
    "model_version": "lora-v1",
    "team": "finetune",
}


def _chat(**fields: Any) -> bytes:  # noqa: ANN401  # JSON
    choice = {"message": {"content": "4"}, "finish_reason": "stop"}
    return msgspec.json.encode({"model": "m", "choices": [choice], "usage": USAGE} | fields)


def test_a_whole_answer_tells_text_tokens_and_model() -> None:
    answer = whole(_chat(usage=USAGE | {"prompt_tokens_details": {"cached_tokens": 1}}))
    assert (answer.error, answer.output, answer.model) == ("", "4", "m")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens) == (3, 2, 1)
    assert answer.stamps == ()


def test_an_answer_that_only_calls_tools_has_no_text() -> None:
    choice = {"message": {"content": None, "tool_calls": []}, "finish_reason": "tool_calls"}
    assert whole(_chat(choices=[choice])).error == ""


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", failures.GARBAGE),
        (b"[]", failures.GARBAGE),
        (b'{"choices": [{"text": "\xff"}]}', failures.GARBAGE),
        (_chat(choices=[]), failures.GARBAGE),
        (_chat(usage=None), failures.GARBAGE),
        (_chat(usage={"prompt_tokens": 3}), failures.GARBAGE),
        (_chat(error={"message": "died"}), failures.GARBAGE),
        (_chat(choices=[{"text": "4", "finish_reason": "abort"}]), failures.ABORTED),
        (_chat(choices=[{"text": "4"}]), failures.ABORTED),
    ],
)
def test_what_is_no_answer_under_a_200(body: bytes, error: str) -> None:
    assert whole(body).error == error


def test_a_prediction_tells_text_tokens_and_model() -> None:
    answer = predicted(msgspec.json.encode(PREDICTED))
    assert (answer.error, answer.output, answer.model) == ("", "4", "lora-v1")
    assert (answer.prompt_tokens, answer.completion_tokens) == (3, 2)


@pytest.mark.parametrize("field", ["output", "finish_reason", "usage"])
def test_a_prediction_that_lacks_a_field_is_garbage(field: str) -> None:
    document = {name: value for name, value in PREDICTED.items() if name != field}
    assert predicted(msgspec.json.encode(document)).error == failures.GARBAGE
