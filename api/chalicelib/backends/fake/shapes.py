"""The JSON that vLLM 0.32 answers with, field by field and in its order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.backends.fake.logprobs import (
    chat_logprobs,
    completion_logprobs,
    prompt_logprobs,
    token_ids,
)
from chalicelib.backends.fake.request import Ask, Prompt
from chalicelib.backends.fake.text import Generation

FINGERPRINT: Final = "vllm-0.32.0-fake"
encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Everything that an answer is written from: `ask.n` generations a prompt, in order."""

    ident: str
    created: int
    model: str
    ask: Ask
    generations: Sequence[Generation]

    @property
    def prompt_tokens(self) -> int:
        return sum(len(prompt.tokens) for prompt in self.ask.prompts)

    @property
    def completion_tokens(self) -> int:
        return sum(len(generation.tokens) for generation in self.generations)

    @property
    def steps(self) -> int:
        """Engine steps: all generations advance together, a token each."""
        return max((len(generation.tokens) for generation in self.generations), default=1)

    def width(self, step: int) -> int:
        """How many generations have a token in `step`."""
        return sum(step < len(generation.tokens) for generation in self.generations)

    def prompt(self, index: int) -> Prompt:
        return self.ask.prompts[index // self.ask.n]


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "completion_tokens": completion_tokens,
    }


def whole(completion: Completion) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    ask = completion.ask
    choice = _chat_choice if ask.is_chat else _text_choice
    choices = [
        choice(completion, index, generation)
        for index, generation in enumerate(completion.generations)
    ]
    body: dict[str, Any] = {
        "id": f"{'chatcmpl' if ask.is_chat else 'cmpl'}-{completion.ident}",
        "object": "chat.completion" if ask.is_chat else "text_completion",
        "created": completion.created,
        "model": completion.model,
        "choices": choices,
        "service_tier": None,
        "system_fingerprint": FINGERPRINT,
        "usage": {
            **usage(completion.prompt_tokens, completion.completion_tokens),
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
    }
    if ask.is_chat:
        body |= {
            "prompt_logprobs": _prompt_logprobs(completion, 0),
            "prompt_token_ids": _prompt_ids(completion, 0),
            "prompt_text": None,
        }
    return body | {"kv_transfer_params": None, "ec_transfer_params": None, "metrics": None}


def _prompt_logprobs(completion: Completion, index: int) -> object:
    count = completion.ask.prompt_logprobs
    return None if count is None else prompt_logprobs(completion.prompt(index).tokens, count)


def _prompt_ids(completion: Completion, index: int) -> list[int] | None:
    asked = completion.ask.return_token_ids
    return token_ids(completion.prompt(index).tokens) if asked else None


def _chat_choice(completion: Completion, index: int, generation: Generation) -> dict[str, Any]:
    ask = completion.ask
    return {
        "index": index,
        "message": {
            "role": "assistant",
            "content": generation.text,
            "refusal": None,
            "annotations": None,
            "audio": None,
            "function_call": None,
            "reasoning": None,
        },
        "logprobs": _logprobs(ask, generation.tokens),
        "finish_reason": generation.finish_reason,
        "stop_reason": generation.stop_reason,
        "token_ids": token_ids(generation.tokens) if ask.return_token_ids else None,
        "routed_experts": None,
    }


def _text_choice(completion: Completion, index: int, generation: Generation) -> dict[str, Any]:
    ask = completion.ask
    said = completion.prompt(index).text if ask.echo else ""
    return {
        "index": index,
        "text": said + generation.text,
        "logprobs": _logprobs(ask, generation.tokens, len(said)),
        "finish_reason": generation.finish_reason,
        "stop_reason": generation.stop_reason,
        "token_ids": token_ids(generation.tokens) if ask.return_token_ids else None,
        "prompt_logprobs": _prompt_logprobs(completion, index),
        "prompt_token_ids": _prompt_ids(completion, index),
        "routed_experts": None,
    }


def _logprobs(ask: Ask, tokens: Sequence[str], offset: int = 0) -> dict[str, Any] | None:
    if ask.logprobs is None:
        return None
    if ask.is_chat:
        return chat_logprobs(tokens, ask.logprobs, ask.choices)
    return completion_logprobs(tokens, ask.logprobs, ask.choices, offset)


def error(status: int, message: str, kind: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}


def models(names: Sequence[str], created: int, max_model_len: int) -> dict[str, Any]:
    return {"object": "list", "data": [_model(name, created, max_model_len) for name in names]}


def _model(name: str, created: int, max_model_len: int) -> Mapping[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "vllm",
        "root": name,
        "parent": None,
        "max_model_len": max_model_len,
        "permission": [
            {
                "id": f"modelperm-{name}",
                "object": "model_permission",
                "created": created,
                "allow_create_engine": False,
                "allow_sampling": True,
                "allow_logprobs": True,
                "allow_search_indices": False,
                "allow_view": True,
                "allow_fine_tuning": False,
                "organization": "*",
                "group": None,
                "is_blocking": False,
            }
        ],
    }
