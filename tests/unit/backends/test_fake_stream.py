"""The fake engine's server-sent events."""

import json
from typing import Any

import pytest

from chalicelib.backends.fake import Behaviour, respond

CHAT = "/v1/chat/completions"
HEALTHY = Behaviour()
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "stream": True}


def events(path: str, fields: dict[str, Any], behaviour: Behaviour = HEALTHY) -> list[Any]:
    answer = respond(behaviour, path, json.dumps(fields).encode())
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    lines = answer.content().decode().split("\n\n")
    assert lines.pop() == ""
    assert lines.pop() == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_the_role_comes_first_then_one_event_a_token() -> None:
    chunks = events(CHAT, HELLO, Behaviour(answer='one "two"'))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "one"},
        {"content": ' "two'},
        {"content": '"'},
        {"content": ""},
    ]
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None, None, None, None, "stop"]


def test_an_engine_step_is_one_item_however_many_events_it_holds() -> None:
    body = json.dumps({**HELLO, "n": 2, "max_tokens": 3, "ignore_eos": True}).encode()
    stream = respond(Behaviour(), CHAT, body).stream
    assert stream is not None
    items = list(stream.events)
    assert len(items) == stream.steps == 3
    assert [item.count(b"data: ") for item in items] == [4, 2, 3]  # roles first, [DONE] last


@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
def test_the_usage_comes_last_when_asked(path: str) -> None:
    fields = {**HELLO, "prompt": "hello", "stream_options": {"include_usage": True}}
    last = events(path, fields, Behaviour(answer="one two"))[-1]
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


def test_the_usage_so_far_comes_with_every_event_when_asked() -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    chunks = events(CHAT, {**HELLO, "stream_options": options}, Behaviour(answer="one two"))
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [0, 1, 2, 3, 3]


def test_streamed_and_whole_answers_say_the_same() -> None:
    fields = {"prompt": "x", "stop": ["ee"], "logprobs": 1, "echo": True, "return_token_ids": True}
    behaviour = Behaviour(answer="one two three four")
    whole = json.loads(
        respond(behaviour, "/v1/completions", json.dumps(fields).encode()).content()
    )["choices"][0]
    parts = [
        chunk["choices"][0]
        for chunk in events(
            "/v1/completions", {**fields, "stream": True}, Behaviour(answer=behaviour.answer)
        )
    ]
    assert "".join(part["text"] for part in parts) == whole["text"] == "xone two thr"
    assert [one for part in parts for one in part["token_ids"]] == whole["token_ids"]
    for name in ("tokens", "token_logprobs", "text_offset", "top_logprobs"):
        streamed = [one for part in parts for one in part["logprobs"][name]]
        assert streamed == whole["logprobs"][name]
    assert parts[-1]["stop_reason"] == whole["stop_reason"] == "ee"


def test_an_aborted_stream_ends_with_that_reason() -> None:
    chunks = events(CHAT, HELLO, Behaviour(fault="abort", answer="one two three"))
    assert chunks[-1]["choices"][0]["finish_reason"] == "abort"


def test_a_dying_engine_says_so_in_the_middle() -> None:
    chunks = events(CHAT, HELLO, Behaviour(fault="error_body", answer="one two three"))
    assert chunks[-1]["error"]["code"] == 500
    assert len(chunks) == 4  # the role, two of three tokens, the error


def test_a_stream_without_choices_still_ends() -> None:
    assert (
        events("/v1/completions", {"prompt": "x", "stream": True}, Behaviour(fault="no_choices"))
        == []
    )
