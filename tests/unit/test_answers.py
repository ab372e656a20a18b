"""A 200 from an engine is not proof of an answer."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.answers import read_answer
from chalicelib.backends import Reply
from chalicelib.errors import CallerFault, UpstreamFailure

USAGE: Final = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
MESSAGE: Final = {"role": "assistant", "content": "four"}
CHAT: Final[dict[str, Any]] = {
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": USAGE,
}


def reply(document: object, status: int = 200, **headers: str) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status=status, headers=headers, body=body)


def choices(**changes: object) -> dict[str, Any]:
    return {**CHAT, "choices": [{**CHAT["choices"][0], **changes}]}


def test_a_chat_answer_is_read() -> None:
    answer = read_answer(reply(CHAT), model="m")
    assert (answer.text, answer.model, answer.finish_reason) == ("four", "m", "stop")
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 2, 5)
    assert answer.document == CHAT


def test_a_text_completion_is_read() -> None:
    document = {**CHAT, "choices": [{"index": 0, "text": "four", "finish_reason": "length"}]}
    answer = read_answer(reply(document), model="m")
    assert (answer.text, answer.finish_reason) == ("four", "length")


def test_a_tool_call_is_an_answer_without_text() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    answer = read_answer(reply(choices(message=message, finish_reason="tool_calls")), model="m")
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")


def test_an_escaped_character_beyond_the_first_plane_is_text() -> None:
    assert read_answer(reply(choices(message={"content": "\U0001f600"})), model="m").text == "😀"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "garbage"),
        (b"<html>", "garbage"),
        (b"\xff\xfe", "garbage"),
        (b"[" * 100_000, "garbage"),
        (b"[]", "garbage"),
        (b"null", "garbage"),
        ({}, "garbage"),
        ({"error": {"message": "died"}}, "garbage"),
        ({**CHAT, "error": {"message": "died"}}, "garbage"),
        ({**CHAT, "choices": []}, "garbage"),
        ({**CHAT, "choices": None}, "garbage"),
        ({**CHAT, "choices": "four"}, "garbage"),
        ({**CHAT, "model": "other"}, "wrong_model"),
        ({**CHAT, "model": None}, "wrong_model"),
        (choices(finish_reason="abort"), "aborted"),
        (choices(finish_reason="error"), "aborted"),
        (choices(finish_reason=None), "aborted"),
        (choices(finish_reason=["stop"]), "aborted"),
        ({**CHAT, "choices": ["four"]}, "aborted"),
        ({**CHAT, "choices": [*CHAT["choices"], {"finish_reason": "abort"}]}, "aborted"),
        (choices(message=None), "garbage"),
        (choices(message="four"), "garbage"),
        (choices(message={"content": None}), "garbage"),
        (choices(message={"content": 4}), "garbage"),
        (choices(text=4), "garbage"),
        (choices(message={"content": None, "tool_calls": 5}), "garbage"),
        ({**CHAT, "usage": None}, "garbage"),
        ({**CHAT, "usage": {}}, "garbage"),
        ({**CHAT, "usage": {**USAGE, "total_tokens": "5"}}, "garbage"),
        ({**CHAT, "usage": {**USAGE, "prompt_tokens": -1}}, "garbage"),
        ({**CHAT, "usage": {**USAGE, "completion_tokens": True}}, "garbage"),
        ({**CHAT, "usage": {**USAGE, "completion_tokens": 2.0}}, "garbage"),
        ({**CHAT, "usage": {**USAGE, "prompt_tokens": 10**400}}, "garbage"),
        ({**CHAT, "choices": [*CHAT["choices"], {"finish_reason": "stop"}]}, "garbage"),
        (choices(logprobs={"token_logprob": float("-inf")}), "garbage"),
        (choices(message={"content": "half a pair: \ud800"}), "garbage"),
        (json.dumps(CHAT).encode().replace(b"four", b"\xed\xa0\x80"), "garbage"),
    ],
)
def test_an_improper_200_is_a_failure_of_the_target(document: object, reason: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        read_answer(reply(document), model="m")
    assert caught.value.reason == reason


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: json.dumps(text).encode()))
def test_whatever_a_200_holds_is_a_failure_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        read_answer(reply(body), model="m")


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "text", "model", "usage", "error"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(changes=st.dictionaries(st.sampled_from(["choices", "model", "usage"]), JSON, min_size=1))
def test_a_document_changed_anywhere_is_read_or_fails_properly(changes: dict[str, Any]) -> None:
    try:
        answer = read_answer(reply({**CHAT, **changes}), model="m")
    except UpstreamFailure:
        return
    assert answer.model == "m"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (429, "throttled"),
        (500, "unavailable"),
        (502, "unavailable"),
        (503, "unavailable"),
        (599, "unavailable"),
        (401, "rejected"),
        (403, "rejected"),
        (404, "rejected"),
        (204, "rejected"),
        (302, "rejected"),
        (418, "rejected"),
    ],
)
def test_a_status_is_a_failure_of_its_kind(status: int, reason: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        read_answer(reply({}, status=status), model="m")
    assert (caught.value.reason, caught.value.status) == (reason, status)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999", 99999.0),
        ("100000", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("²", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_where_it_is_seconds(
    status: int, header: str, seconds: float | None
) -> None:
    answer = Reply(status=status, headers={"retry-after": header}, body=b"{}")
    with pytest.raises(UpstreamFailure) as caught:
        read_answer(answer, model="m")
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_the_engine_finds_wrong_is_the_callers_fault(status: int) -> None:
    said = {"error": {"message": "logit_bias: the prompt was 'secret'", "param": "logit_bias"}}
    with pytest.raises(CallerFault) as caught:
        read_answer(reply(said, status=status), model="m")
    assert caught.value.param == "logit_bias"
    assert "'logit_bias'" in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "secret", "param": "the secret prompt"}},
        {"error": {"message": "secret", "param": ["secret"]}},
        {"error": "secret"},
        {"detail": "secret"},
        ["secret"],
        b"secret",
        b"\xff",
    ],
)
def test_what_the_engine_says_of_it_is_never_repeated(said: object) -> None:
    with pytest.raises(CallerFault) as caught:
        read_answer(reply(said, status=400), model="m")
    assert caught.value.param is None
    assert "secret" not in caught.value.message


def test_a_prompt_that_is_too_long_is_told_with_the_models_limit() -> None:
    """vLLM 0.32's own sentence."""
    said = (
        "This model's maximum context length is 4096 tokens. However, you requested 256 output "
        "tokens and your prompt contains at least 3841 input tokens, for a total of at least 4097."
    )
    with pytest.raises(CallerFault, match="4096 tokens") as caught:
        read_answer(reply({"error": {"message": said}}, status=400), model="m")
    assert caught.value.param == "max_tokens"
