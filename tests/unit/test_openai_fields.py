"""Which fields a request may have, and what each may hold."""

from typing import Any, Final

import pytest

from chalicelib import openai_fields
from chalicelib.errors import GatewayError
from chalicelib.validation import check

HI: Final = [{"role": "user", "content": "hi"}]
CHAT: Final = openai_fields.chat(4096)
COMPLETION: Final = openai_fields.completion(4096)


@pytest.mark.parametrize(
    "document",
    [
        {"messages": HI, "model": "m", "temperature": 0, "top_p": 1, "max_tokens": 4096},
        {"messages": [{"role": "system", "content": "be brief"}, *HI]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"messages": [*HI, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
        {"messages": [*HI, {"role": "tool", "content": "4", "tool_call_id": "1"}]},
        {"messages": HI, "stop": "\n", "bad_words": [" "], "logit_bias": {"1": -100}},
        {"messages": HI, "stop": ["\n\n", "###"], "seed": -1, "n": 8},
        {"messages": HI, "logprobs": True, "top_logprobs": 20, "prompt_logprobs": 0},
        {"messages": HI, "response_format": {"type": "json_object"}, "tool_choice": "auto"},
        {"messages": HI, "tools": [{"type": "function"}], "tool_choice": {"type": "function"}},
        {"messages": HI, "stream": False, "user": "u", "session_id": "s", "temperature": None},
        {"messages": HI, "top_k": -1, "min_p": 0, "repetition_penalty": 1.1, "ignore_eos": True},
    ],
)
def test_what_openais_clients_send_passes(document: dict[str, Any]) -> None:
    check(document, CHAT, refused=openai_fields.REFUSED)


@pytest.mark.parametrize("prompt", ["hi", ["a", "b"], [1, 2, 3], [[1, 2], [3]]])
def test_a_completions_prompt_is_text_or_tokens_or_several_of_them(prompt: object) -> None:
    check({"prompt": prompt, "logprobs": 5, "echo": True}, COMPLETION, refused={})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("top_k", 1.5),
        ("n", 0),
        ("n", 9),
        ("min_p", 2),
        ("logprobs", 5),
        ("top_logprobs", 21),
        ("frequency_penalty", 2.1),
        ("presence_penalty", -2.1),
        ("repetition_penalty", 0),
        ("tools", {}),
        ("tools", [1]),
        ("tool_choice", "some"),
        ("response_format", "json"),
        ("logit_bias", []),
        ("stop_token_ids", [-1]),
        ("user", ""),
        ("user", "u" * 257),
        ("bad_words", [""]),
        ("stop", "s" * 257),
        ("max_completion_tokens", 4097),
        ("truncate_prompt_tokens", -2),
        ("reasoning_effort", "extreme"),
        ("continue_final_message", "yes"),
    ],
)
def test_what_an_engine_would_choke_on_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(GatewayError) as caught:
        check({"messages": HI, field: value}, CHAT, refused=openai_fields.REFUSED)
    assert (caught.value.code, caught.value.param) == ("invalid_request", field)


@pytest.mark.parametrize(
    "prompt", ["", " ", [], [""], [-1], [[]], [[1], 2], [[-1]], ["a", 1], {}, 1, True]
)
def test_a_prompt_that_is_none_is_refused(prompt: object) -> None:
    with pytest.raises(GatewayError) as caught:
        check({"prompt": prompt}, COMPLETION, refused={})
    assert caught.value.param == "prompt"


@pytest.mark.parametrize("field", sorted(openai_fields.REFUSED))
def test_what_reaches_past_the_model_is_refused_with_the_reason(field: str) -> None:
    for fields in (CHAT, COMPLETION):
        assert field not in fields
        with pytest.raises(GatewayError, match="for those who run the engine"):
            check({field: 1}, fields, refused=openai_fields.REFUSED)


def test_the_limit_of_tokens_is_the_stages() -> None:
    check({"max_tokens": 10}, openai_fields.chat(10), refused={})
    with pytest.raises(GatewayError, match="from 1 to 10"):
        check({"max_tokens": 11}, openai_fields.chat(10), refused={})
