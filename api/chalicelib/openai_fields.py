"""The fields of a request that engines know, and what each may hold.

The list is vLLM 0.32's own, less what would let a caller reach past the model: templates, transfer
parameters, scheduling priority, ids. A test compares it with a running engine's schema.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from chalicelib.validation import (
    TEXT_MAX,
    Fields,
    Rule,
    boolean,
    either,
    json_object,
    list_of,
    number,
    one_of,
    text,
    whole,
)

UNIT_MAX: Final = 256
_TOKEN_ID: Final = whole(0, 1_000_000)
_TOKEN_IDS: Final = list_of(_TOKEN_ID, least=1, most=TEXT_MAX)
_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_TEXT_PART: Final = "must be text: these models read no images, audio or video"

_SERVERS_OWN: Final = "is for those who run the engine"
REFUSED: Final[Mapping[str, str]] = dict.fromkeys(
    (
        "cache_salt",
        "chat_template",
        "chat_template_kwargs",
        "documents",
        "ec_transfer_params",
        "kv_transfer_params",
        "media_io_kwargs",
        "mm_payload",
        "mm_processor_kwargs",
        "priority",
        "prompt_embeds",
        "repetition_detection",
        "request_id",
        "return_mm_kwargs",
        "routed_experts_prompt_start",
        "stream_interval",
        "vllm_xargs",
        "watermarking",
    ),
    _SERVERS_OWN,
)


def _part(value: object) -> str | None:
    if isinstance(value, str):
        return None
    if not isinstance(value, dict) or value.get("type") not in ("text", "refusal"):
        return _TEXT_PART
    return None if isinstance(value.get(value["type"]), str) else _TEXT_PART


_CONTENT: Final = either(text(), list_of(_part, least=1, most=1000))


def _message(value: object) -> str | None:
    if not isinstance(value, dict):
        return "is not an object"
    if value.get("role") not in _ROLES:
        return f"has no role of {', '.join(_ROLES)}"
    content = value.get("content")
    if content is None:
        return None if value.get("tool_calls") else "has no content"
    problem = _CONTENT(content)
    return f"has content that {problem}" if problem else None


def _has_text(value: object) -> str | None:
    """Messages of which at least one says something."""
    problem = list_of(_message, least=1, most=10_000)(value)
    if problem or not isinstance(value, list):
        return problem
    return None if any(map(_says_something, value)) else "must not be empty"


def _says_something(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    if isinstance(content, str):
        return bool(content.strip())
    return bool(content or message.get("tool_calls"))


MESSAGES: Final[Rule] = _has_text
_STOP: Final = text(1, 256, blank=True)
STOP: Final = either(_STOP, list_of(_STOP, most=16))


@cache
def sampling(max_tokens: int) -> Fields:
    """What chat and text completions share."""
    return {
        "model": text(1, 256),
        "stream": boolean,
        "stream_options": json_object,
        "user": text(1, UNIT_MAX),
        "session_id": text(1, UNIT_MAX),
        "max_tokens": whole(1, max_tokens),
        "min_tokens": whole(0, max_tokens),
        "n": whole(1, 8),
        "temperature": number(0, 2),
        "top_p": number(1e-9, 1),
        "top_k": whole(-1, 1_000_000),
        "min_p": number(0, 1),
        "frequency_penalty": number(-2, 2),
        "presence_penalty": number(-2, 2),
        "repetition_penalty": number(0.01, 10),
        "length_penalty": number(-10, 10),
        "seed": whole(-(2**63), 2**63 - 1),
        "stop": STOP,
        "stop_token_ids": list_of(_TOKEN_ID, most=64),
        "include_stop_str_in_output": boolean,
        "ignore_eos": boolean,
        "skip_special_tokens": boolean,
        "spaces_between_special_tokens": boolean,
        "add_special_tokens": boolean,
        "thinking_token_budget": whole(0, max_tokens),
        "truncate_prompt_tokens": whole(-1, 1_000_000),
        "truncation_side": one_of("left", "right"),
        "prompt_logprobs": whole(0, 20),
        "logprob_token_ids": list_of(_TOKEN_ID, most=128),
        "allowed_token_ids": list_of(_TOKEN_ID, most=4096),
        "bad_words": list_of(text(1, 256, blank=True), most=64),
        "logit_bias": json_object,
        "response_format": json_object,
        "structured_outputs": json_object,
        "return_token_ids": boolean,
        "return_tokens_as_token_ids": boolean,
        "return_token_offsets": boolean,
        "use_beam_search": boolean,
        "echo": boolean,
    }


@cache
def chat(max_tokens: int) -> Fields:
    return {
        **sampling(max_tokens),
        "messages": MESSAGES,
        "max_completion_tokens": whole(1, max_tokens),
        "logprobs": boolean,
        "top_logprobs": whole(0, 20),
        "tools": list_of(json_object, most=128),
        "tool_choice": either(one_of("none", "auto", "required"), json_object),
        "parallel_tool_calls": boolean,
        "reasoning_effort": one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"),
        "include_reasoning": boolean,
        "return_prompt_text": boolean,
        "add_generation_prompt": boolean,
        "continue_final_message": boolean,
    }


@cache
def completion(max_tokens: int) -> Fields:
    return {
        **sampling(max_tokens),
        "prompt": either(
            text(1),
            list_of(text(1), least=1, most=64),
            _TOKEN_IDS,
            list_of(_TOKEN_IDS, least=1, most=64),
        ),
        "logprobs": whole(0, 20),
        "suffix": text(),
    }


@cache
def predict(max_tokens: int) -> Fields:
    return {
        "prompt": text(1),
        "messages": MESSAGES,
        "max_tokens": whole(1, max_tokens),
        "temperature": number(0, 2),
        "top_p": number(1e-9, 1),
        "stop": STOP,
        "seed": whole(-(2**63), 2**63 - 1),
        "session_id": text(1, UNIT_MAX),
        "variant": text(1, 64),
        "model_params": json_object,
        "stream": boolean,
    }
