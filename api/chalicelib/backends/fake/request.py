"""Reading a request as vLLM 0.32 does: unknown fields are ignored, wrong ones refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.backends.fake.behaviour import Behaviour
from chalicelib.backends.fake.fields import (
    Refusal,
    bad,
    check_containers,
    coerce_numbers,
    fields_of,
    invalid,
)
from chalicelib.backends.fake.text import Limits, tokenize

ANY_MODEL: Final = "fake"
_TEMPLATE_TOKENS: Final = 3  # what a chat template puts around each message
_COMPLETION_TOKENS: Final = 16  # OpenAI's default for /v1/completions
_MAX_LOGPROBS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    text: str
    tokens: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A valid request."""

    is_chat: bool
    model: str
    prompts: Sequence[Prompt]
    limits: Limits
    n: int
    stream: bool
    include_usage: bool
    continuous_usage: bool
    logprobs: int | None
    """How many alternatives a token; None: log-probabilities were not asked for."""
    prompt_logprobs: int | None
    echo: bool
    return_token_ids: bool
    schema: Mapping[str, Any] | None
    choices: Sequence[str]
    """The texts to choose from, where the request restricts the answer to some."""


def read(body: bytes, behaviour: Behaviour, path: str) -> Ask:
    """The request in `body`; `/invocations` takes both kinds and sees by `messages` which it is.

    Raises:
        Refusal: in vLLM's own words.
    """
    fields = fields_of(body, is_raw=path == "/invocations")
    is_chat = path == "/v1/chat/completions" or (path == "/invocations" and "messages" in fields)
    messages = _messages(fields) if is_chat else None
    coerce_numbers(fields)
    check_containers(fields)
    model = _model(fields, behaviour)
    _check_values(fields, behaviour)
    prompts = [_chat_prompt(messages)] if messages is not None else _completion_prompts(fields)
    structured, choices = _structure(fields)
    stream_options = fields.get("stream_options") or {}
    return Ask(
        is_chat=is_chat,
        model=model,
        prompts=prompts,
        limits=_limits(fields, prompts, behaviour, is_chat=is_chat),
        n=fields.get("n") or 1,
        stream=bool(fields.get("stream")),
        include_usage=bool(stream_options.get("include_usage")),
        continuous_usage=bool(stream_options.get("continuous_usage_stats")),
        logprobs=_logprobs(fields, is_chat=is_chat),
        prompt_logprobs=fields.get("prompt_logprobs"),
        echo=bool(fields.get("echo")),
        return_token_ids=bool(fields.get("return_token_ids")),
        schema=structured,
        choices=choices,
    )


def _messages(fields: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if "messages" not in fields:
        raise invalid("missing", "body.messages", "Field required", fields)
    messages = fields["messages"]
    if not isinstance(messages, list):
        raise invalid("list_type", "body.messages", "Input should be a valid list", messages)
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or "role" not in message:
            raise invalid("missing", f"body.messages.{place}.role", "Field required", message)
    if not messages:
        raise bad(
            "Cannot apply chat template to an empty conversation. Provide at least one message."
        )
    return messages


def _model(fields: Mapping[str, Any], behaviour: Behaviour) -> str:
    served = behaviour.models
    asked = fields.get("model")
    if served is None:
        return asked if isinstance(asked, str) else ANY_MODEL
    if asked is None:
        return served[0]
    if asked not in served:
        message = f"The model `{asked}` does not exist. Valid aliases: {', '.join(served)}."
        raise Refusal(404, message, "NotFoundError", "model")
    return str(asked)


def _check_values(fields: Mapping[str, Any], behaviour: Behaviour) -> None:
    most = behaviour.max_model_len
    for name in ("max_completion_tokens", "max_tokens"):
        tokens = fields.get(name)
        if tokens is not None and tokens < 1:
            raise bad(f"max_tokens must be at least 1, got {tokens}.", "max_tokens", tokens)
        if tokens is not None and tokens > most:
            message = f"max_tokens={tokens} cannot be greater than max_model_len={most}."
            raise bad(f"{message} Please request fewer output tokens.", "max_tokens", tokens)
    temperature, top_p, n = (fields.get(name) for name in ("temperature", "top_p", "n"))
    if temperature is not None and temperature < 0:
        message = f"temperature must be non-negative, got {temperature}."
        raise bad(message, "temperature", temperature)
    if top_p is not None and not 0 < top_p <= 1:
        raise bad(f"top_p must be in (0, 1], got {top_p}.", "top_p", top_p)
    if n is not None and n < 1:
        raise bad(f"n must be at least 1, got {n}.")
    if n is not None and n > 1 and temperature == 0:
        raise bad(f"n must be 1 when using greedy sampling, got {n}.")
    if fields.get("stream_options") and not fields.get("stream"):
        raise bad("Stream options can only be defined when `stream=True`.", "stream_options")


def _logprobs(fields: Mapping[str, Any], *, is_chat: bool) -> int | None:
    asked = fields.get("logprobs")
    if not is_chat:
        count = None if asked is None or asked is False else int(asked)
    elif asked:
        count = fields.get("top_logprobs") or 0
    elif fields.get("top_logprobs"):
        message = "when using `top_logprobs`, `logprobs` must be set to true."
        raise bad(message, "top_logprobs")
    else:
        count = None
    if count is not None and count > _MAX_LOGPROBS:
        message = f"Requested sample logprobs of {count}, which is greater than max allowed: "
        raise bad(f"{message}{_MAX_LOGPROBS}", "logprobs", count)
    return count


def _content_text(content: object) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _chat_prompt(messages: Sequence[Mapping[str, Any]]) -> Prompt:
    text = "\n".join(_content_text(message.get("content")) for message in messages)
    template = [""] * (_TEMPLATE_TOKENS * len(messages))
    return Prompt(text=text, tokens=[*template, *tokenize(text)])


def _completion_prompts(fields: Mapping[str, Any]) -> list[Prompt]:
    prompt = fields.get("prompt")
    if not prompt:
        raise bad("Either prompt or prompt_embeds must be provided and non-empty.", "prompt")
    is_batch = isinstance(prompt, list) and not isinstance(prompt[0], int)
    return [_completion_prompt(one) for one in (prompt if is_batch else [prompt])]


def _completion_prompt(prompt: object) -> Prompt:
    if isinstance(prompt, list):  # token ids: no text is behind them, the numbers stand for it
        return Prompt(text=" ".join(map(str, prompt)), tokens=[f" {token}" for token in prompt])
    return Prompt(text=str(prompt), tokens=tokenize(str(prompt)))


def _limits(
    fields: Mapping[str, Any], prompts: Sequence[Prompt], behaviour: Behaviour, *, is_chat: bool
) -> Limits:
    most = behaviour.max_model_len
    longest = max(len(prompt.tokens) for prompt in prompts)
    if longest >= most:
        raise bad(
            f"This model's maximum context length is {most} tokens. However, your prompt contains "
            f"at least {most + 1} input tokens, which exceeds this limit even without any output "
            "tokens. Please reduce the length of the input prompt.",
            "input_tokens",
            most + 1,
        )
    default = most if is_chat else _COMPLETION_TOKENS
    asked = fields.get("max_completion_tokens") or fields.get("max_tokens") or default
    stop = fields.get("stop") or []
    return Limits(
        max_tokens=min(asked, most - longest),
        min_tokens=fields.get("min_tokens") or 0,
        ignore_eos=bool(fields.get("ignore_eos")),
        stop=[stop] if isinstance(stop, str) else [text for text in stop if text],
        include_stop=bool(fields.get("include_stop_str_in_output")),
    )


def _structure(fields: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Sequence[str]]:
    response_format = fields.get("response_format") or {}
    kind = response_format.get("type")
    if kind == "json_schema":
        if not response_format.get("json_schema"):
            raise bad(
                "When response_format type is 'json_schema', the 'json_schema' field must be "
                "provided.",
                "response_format",
            )
        return response_format["json_schema"].get("schema", {}), ()
    if kind == "json_object":
        return {"type": "object"}, ()
    structured = fields.get("structured_outputs") or {}
    return structured.get("json"), structured.get("choice") or ()
