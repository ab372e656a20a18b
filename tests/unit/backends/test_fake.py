"""What the fake engine answers, as a pure function of behaviour and request."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.backends.fake import Behaviour, respond

CHAT = "/v1/chat/completions"
TEXT = "/v1/completions"
HEALTHY = Behaviour()
HELLO = {"messages": [{"role": "user", "content": "hello there"}]}
NO_SCHEMA = {"response_format": {"type": "json_schema"}}


def ask(path: str, fields: Mapping[str, Any], behaviour: Behaviour = HEALTHY) -> dict[str, Any]:
    answer = respond(behaviour, path, json.dumps(fields).encode(), created=7)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = json.loads(answer.content())
    return body


def refused(
    path: str, fields: Mapping[str, Any], behaviour: Behaviour = HEALTHY
) -> tuple[int, Any]:
    answer = respond(behaviour, path, json.dumps(fields).encode())
    return answer.status, json.loads(answer.body)["error"]


def test_a_chat_answer_has_vllms_fields_in_vllms_order() -> None:
    body = ask(CHAT, HELLO, Behaviour(answer="four", models=("ref",)))
    assert body == {
        "id": body["id"],
        "object": "chat.completion",
        "created": 7,
        "model": "ref",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "four",
                    "refusal": None,
                    "annotations": None,
                    "audio": None,
                    "function_call": None,
                    "reasoning": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
                "stop_reason": None,
                "token_ids": None,
                "routed_experts": None,
            }
        ],
        "service_tier": None,
        "system_fingerprint": "vllm-0.32.0-fake",
        "usage": {
            "prompt_tokens": 7,  # "hell" "o" " ther" "e" and 3 of the template
            "total_tokens": 9,
            "completion_tokens": 2,  # "four" and the end of the text
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        "prompt_logprobs": None,
        "prompt_token_ids": None,
        "prompt_text": None,
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }
    assert body["id"].startswith("chatcmpl-")


def test_a_completion_answers_every_prompt_of_a_batch() -> None:
    body = ask(TEXT, {"prompt": ["a", "b"], "n": 2, "echo": True}, Behaviour(answer="x"))
    assert body["object"] == "text_completion"
    assert [(choice["index"], choice["text"]) for choice in body["choices"]] == [
        (0, "ax"),
        (1, "ax"),
        (2, "bx"),
        (3, "bx"),
    ]
    assert body["usage"]["prompt_tokens"] == 2


def test_the_same_request_gets_the_same_text_and_another_prompt_another() -> None:
    texts = [
        ask(CHAT, {"messages": [{"role": "user", "content": content}]})["choices"][0]["message"]
        for content in ("one", "one", "two")
    ]
    assert texts[0] == texts[1] != texts[2]


def test_the_answer_can_be_made_from_the_prompt() -> None:
    body = ask(CHAT, HELLO, Behaviour(answer=str.upper))
    assert body["choices"][0]["message"]["content"] == "HELLO THERE"


def test_max_tokens_cuts_the_text_and_says_so() -> None:
    body = ask(CHAT, {**HELLO, "max_tokens": 2}, Behaviour(answer="one two three"))
    assert body["choices"][0]["message"]["content"] == "one two"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 2


def test_max_completion_tokens_is_the_same_limit_under_its_new_name() -> None:
    body = ask(CHAT, {**HELLO, "max_completion_tokens": 1}, Behaviour(answer="one two"))
    assert body["usage"]["completion_tokens"] == 1


def test_a_completion_without_max_tokens_ends_after_sixteen() -> None:
    assert ask(TEXT, {"prompt": "x", "ignore_eos": True})["usage"]["completion_tokens"] == 16


def test_ignore_eos_fills_max_tokens_exactly() -> None:
    body = ask(CHAT, {**HELLO, "max_tokens": 100, "ignore_eos": True}, Behaviour(answer="short"))
    assert body["usage"]["completion_tokens"] == 100
    assert body["choices"][0]["finish_reason"] == "length"


def test_a_schema_is_filled_with_values_in_range() -> None:
    share = {"type": "number", "minimum": 0, "maximum": 1}
    schema = {
        "type": "object",
        "properties": {
            "coherence": share,
            "toxicity": {"$ref": "#/$defs/share"},
            "verdict": {"enum": ["good", "bad"]},
            "reasoning": {"type": "string", "maxLength": 12},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        },
        "$defs": {"share": share},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "score", "schema": schema}}
    body = ask(CHAT, {**HELLO, "response_format": wanted})
    value = json.loads(body["choices"][0]["message"]["content"])
    assert list(value) == ["coherence", "toxicity", "verdict", "reasoning", "stars"]
    assert 0 <= value["coherence"] <= 1
    assert 0 <= value["toxicity"] <= 1
    assert value["verdict"] in {"good", "bad"}
    assert len(value["reasoning"]) <= 12
    assert value["stars"] in range(1, 6)


def test_a_choice_has_a_distribution_over_exactly_its_options() -> None:
    fields = {
        **HELLO,
        "structured_outputs": {"choice": ["1", "2", "3"]},
        "logprobs": True,
        "top_logprobs": 5,
    }
    choice = ask(CHAT, fields)["choices"][0]
    first, end = choice["logprobs"]["content"]
    possible = [one for one in first["top_logprobs"] if one["logprob"] > -100]
    assert first["token"] == choice["message"]["content"]
    assert {one["token"] for one in possible} == {"1", "2", "3"}
    assert sum(2.718281828459045 ** one["logprob"] for one in possible) == pytest.approx(1)
    assert (end["token"], end["logprob"]) == ("</s>", 0.0)


def test_completion_logprobs_tell_where_each_token_starts() -> None:
    body = ask(TEXT, {"prompt": "x", "logprobs": 2, "max_tokens": 2}, Behaviour(answer="one two"))
    logprobs = body["choices"][0]["logprobs"]
    assert logprobs["tokens"] == ["one", " two"]
    assert logprobs["text_offset"] == [0, 3]
    assert [len(top) for top in logprobs["top_logprobs"]] == [2, 2]
    assert logprobs["token_logprobs"] == [
        top[token] for top, token in zip(logprobs["top_logprobs"], logprobs["tokens"], strict=True)
    ]


def test_prompt_logprobs_and_token_ids_come_when_asked() -> None:
    fields = {"prompt": "one two", "prompt_logprobs": 1, "return_token_ids": True}
    choice = ask(TEXT, fields, Behaviour(answer="x"))["choices"][0]
    first, second = choice["prompt_logprobs"]
    assert first is None
    assert [entry["decoded_token"] for entry in second.values()] == [" two"]
    assert list(second) == [str(choice["prompt_token_ids"][1])]
    assert len(choice["token_ids"]) == 2


@pytest.mark.parametrize(
    ("path", "fields", "status", "message", "param"),
    [
        (CHAT, {}, 400, "'loc': 'body.messages', 'msg': 'Field required'", "body.messages"),
        (CHAT, {"messages": []}, 400, "an empty conversation", None),
        (CHAT, {"messages": "x"}, 400, "valid list", "body.messages"),
        (CHAT, {"messages": [1]}, 400, "Field required", "body.messages.0.role"),
        (CHAT, HELLO | {"model": "no"}, 404, "`no` does not exist. Valid aliases: ref.", "model"),
        (CHAT, HELLO | {"max_tokens": 0}, 400, "at least 1, got 0.", "max_tokens"),
        (CHAT, HELLO | {"max_tokens": 999}, 400, "greater than max_model_len=64", "max_tokens"),
        (CHAT, HELLO | {"max_tokens": "x"}, 400, "int_parsing", "body.max_tokens"),
        (CHAT, HELLO | {"max_tokens": 1.5}, 400, "int_from_float", "body.max_tokens"),
        (CHAT, HELLO | {"temperature": {}}, 400, "float_parsing", "body.temperature"),
        (CHAT, HELLO | {"temperature": -1}, 400, "non-negative, got -1.0.", "temperature"),
        (CHAT, HELLO | {"top_p": 0}, 400, "in (0, 1], got 0.0.", "top_p"),
        (CHAT, HELLO | {"n": 0}, 400, "at least 1, got 0.", None),
        (CHAT, HELLO | {"n": 2, "temperature": 0}, 400, "greedy sampling, got 2.", None),
        (CHAT, HELLO | {"top_logprobs": 1}, 400, "must be set to true", "top_logprobs"),
        (CHAT, HELLO | {"logprobs": True, "top_logprobs": 21}, 400, "max allowed: 20", "logprobs"),
        (CHAT, HELLO | {"stream_options": {"a": 1}}, 400, "`stream=True`", "stream_options"),
        (CHAT, HELLO | {"stop": [1]}, 400, "string_type", "body.stop"),
        (CHAT, HELLO | {"response_format": 1}, 400, "dict_type", "body.response_format"),
        (CHAT, HELLO | NO_SCHEMA, 400, "must be provided", "response_format"),
        (TEXT, {}, 400, "prompt_embeds must be provided and non-empty", "prompt"),
        (TEXT, {"prompt": "x " * 64}, 400, "maximum context length is 64 tokens", "input_tokens"),
        ("/invocations", {"inputs": "x"}, 400, "must be provided and non-empty", "prompt"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_in_vllms_words(
    path: str, fields: Mapping[str, Any], status: int, message: str, param: str | None
) -> None:
    got, error = refused(path, fields, Behaviour(models=("ref",), max_model_len=64))
    assert (got, error["code"], error["param"]) == (status, status, param)
    assert message in error["message"]


@pytest.mark.parametrize("body", [b"{not json", b"\xff", b"[]", b"", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    answer = respond(Behaviour(), CHAT, body)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["type"] == "Bad Request"


def test_unknown_fields_are_ignored() -> None:
    assert ask(CHAT, {**HELLO, "guided_json": {}, "model_params": 1})["choices"]


def test_invocations_sees_from_the_body_what_is_asked() -> None:
    assert ask("/invocations", HELLO)["object"] == "chat.completion"
    assert ask("/invocations", {"prompt": 'the word "messages"'})["object"] == "text_completion"


def test_the_key_guards_v1_only() -> None:
    behaviour = Behaviour(api_key="k")
    body = json.dumps({"prompt": "x"}).encode()
    right = {"content-type": "application/json", "authorization": "Bearer k"}
    assert respond(behaviour, TEXT, body).status == 401
    assert respond(behaviour, TEXT, body, headers=right).status == 200
    assert respond(behaviour, "/invocations", body).status == 200
    assert respond(behaviour, "/health", method="GET").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("POST", "/health", 405),
        ("GET", "/ping", 200),
        ("POST", "/ping", 200),
        ("GET", TEXT, 405),
        ("GET", "/nowhere", 404),
        ("GET", "/version", 200),
    ],
)
def test_paths_and_methods(method: str, path: str, status: int) -> None:
    assert respond(Behaviour(), path, method=method).status == status


def test_models_are_listed() -> None:
    answer = respond(Behaviour(models=("a", "b")), "/v1/models", method="GET", created=7)
    listed = json.loads(answer.body)
    assert [(one["id"], one["created"], one["max_model_len"]) for one in listed["data"]] == [
        ("a", 7, 4096),
        ("b", 7, 4096),
    ]


def test_time_until_the_last_token_is_the_token_timeline() -> None:
    behaviour = Behaviour(
        latency_s=1, time_to_first_token_s=0.5, inter_token_latency_s=0.1, answer="a b c"
    )
    for stream in (False, True):
        answer = respond(behaviour, CHAT, json.dumps({**HELLO, "stream": stream}).encode())
        assert answer.first_s == 1.5
        assert answer.whole_s == pytest.approx(1.5 + 3 * 0.1)  # three tokens and the end
