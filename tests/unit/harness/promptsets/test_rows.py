"""What a row may hold, and how it is written."""

import json
from typing import Any

import msgspec
import pytest

from harness.promptsets.rows import Row, decode, encode

PLAIN: dict[str, Any] = {
    "prompt_id": "a-1",
    "category": "sum",
    "bucket": "short",
    "split": "train",
    "max_tokens": 8,
    "prompt": "What is 2+2?",
    "checks": [{"kind": "numeric", "value": 4.0}],
    "reference": "4",
}
WITHOUT = object()


def row(**fields: Any) -> Row:  # noqa: ANN401
    document = {name: value for name, value in (PLAIN | fields).items() if value is not WITHOUT}
    return decode(json.dumps(document).encode())


def test_a_row_is_written_as_it_was_read_with_its_labels_first() -> None:
    written = encode(row())
    assert json.loads(written) == PLAIN
    assert list(json.loads(written))[:5] == [
        "prompt_id",
        "category",
        "bucket",
        "split",
        "max_tokens",
    ]


def test_labels_are_written_even_at_their_defaults() -> None:
    written = json.loads(encode(row(split=WITHOUT, bucket=WITHOUT)))
    assert written["split"] == "eval_holdout"
    assert written["bucket"] == "short"


def test_a_prompt_is_a_users_turn() -> None:
    assert [(turn.role, turn.content) for turn in row().turns] == [("user", "What is 2+2?")]
    assert row().question == "What is 2+2?"


def test_the_question_of_a_conversation_is_its_last_turn() -> None:
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi!"},
        {"role": "user", "content": "What is 2+2?"},
    ]
    found = row(prompt=WITHOUT, messages=messages)
    assert [turn.content for turn in found.turns] == ["Hello", "Hi!", "What is 2+2?"]
    assert found.question == "What is 2+2?"


def test_a_request_has_no_turns() -> None:
    found = row(
        prompt=WITHOUT,
        request={"kind": "malformed", "path": "/x", "raw": "{"},
        expect={"status": [400]},
    )
    assert found.turns == ()
    assert found.question == ""


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt_id": "../x"}, "matching regex"),
        ({"prompt_id": ""}, "matching regex"),
        ({"prompt": WITHOUT}, "exactly one of prompt, messages and request"),
        ({"messages": [{"role": "user", "content": "x"}]}, "exactly one of"),
        ({"prompt": ""}, "length >= 1"),
        ({"prompt": WITHOUT, "messages": []}, "last turn must be the user's"),
        (
            {"prompt": WITHOUT, "messages": [{"role": "assistant", "content": "x"}]},
            "last turn must be the user's",
        ),
        ({"max_tokens": 0}, ">= 1"),
        ({"max_tokens": "8"}, "Expected `int`"),
        ({"split": "test"}, "Invalid enum value 'test'"),
        ({"category": "Two Words"}, "matching regex"),
        ({"kind": "x"}, "unknown field `kind`"),
        ({"candidate": "4"}, "candidate and expected go together"),
        ({"candidate": "4", "expected": {"coherence": [0.9, 0.1]}}, "upside down"),
        ({"candidate": "4", "expected": {"coherence": [0, 9]}}, "<= 1"),
        ({"expect": {"status": [400]}}, "request and expect go together"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        row(**fields)


def test_a_request_has_one_body() -> None:
    request = {"kind": "malformed", "path": "/x", "raw": "{", "body": {}}
    with pytest.raises(msgspec.ValidationError, match="either body or raw"):
        row(prompt=WITHOUT, request=request, expect={"status": [400]})
