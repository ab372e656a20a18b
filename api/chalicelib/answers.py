"""Is it really an answer? A 200 from an engine is not proof.

An engine that is shut down answers 200 with the text so far and `finish_reason: "abort"`; a proxy
answers 200 with an error page. What gets through here is complete, from the model that was asked,
and says what it cost.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, NoReturn

from chalicelib.backends import Reply
from chalicelib.errors import CallerFault, UpstreamFailure

PROPER_ENDS: Final = frozenset({"stop", "length", "tool_calls", "function_call"})
_CONTEXT: Final = re.compile(r"maximum (?:context length|model length).{0,40}?(\d+)")
_FIELD: Final = re.compile(r"[a-z_]{1,40}")
_TOKENS_MAX: Final = 10**9


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


_decode: Final = json.JSONDecoder(parse_constant=_no_constant).decode


class Usage(NamedTuple):
    """The server's own count; never words or chunks."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    def to_dict(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
        }


class Answer(NamedTuple):
    """A complete chat or text completion."""

    document: Mapping[str, Any]
    """As the engine sent it."""
    text: str
    """The first choice's."""
    model: str
    finish_reason: str
    usage: Usage


def read_answer(reply: Reply, *, model: str) -> Answer:
    """The answer in `reply`, which `model` must have given.

    Raises:
        CallerFault: the engine says that the request is wrong.
        UpstreamFailure: it is no proper answer.
    """
    if reply.status != 200:  # noqa: PLR2004
        raise _refusal(reply)
    document = _document(reply.body)
    choices = document.get("choices")
    if "error" in document or not isinstance(choices, list) or not choices:
        raise UpstreamFailure("garbage", status=200)
    if document.get("model") != model:
        raise UpstreamFailure("wrong_model", status=200)
    ends = [choice.get("finish_reason") if isinstance(choice, dict) else None for choice in choices]
    if not all(isinstance(end, str) and end in PROPER_ENDS for end in ends):
        raise UpstreamFailure("aborted", status=200)
    text, *_ = [_text(choice) for choice in choices]
    return Answer(
        document=document,
        text=text,
        model=model,
        finish_reason=str(ends[0]),
        usage=_usage(document.get("usage")),
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode()
        document = _decode(text)
        if "\\u" in text:  # an escaped half of a surrogate pair parses, but can't be sent on
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UpstreamFailure("garbage", status=200) from None
    if not isinstance(document, dict):
        raise UpstreamFailure("garbage", status=200)
    return document


def _text(choice: Mapping[str, Any]) -> str:
    if "text" in choice:
        text = choice["text"]
    else:
        message = choice.get("message")
        if not isinstance(message, dict):
            raise UpstreamFailure("garbage", status=200)
        text = message.get("content")
        calls = message.get("tool_calls")
        if text is None and calls and isinstance(calls, list):
            text = ""
    if not isinstance(text, str):
        raise UpstreamFailure("garbage", status=200)
    return text


def _usage(usage: object) -> Usage:
    counts = usage if isinstance(usage, dict) else {}
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    if not all(
        type(counts.get(name)) is int and 0 <= counts[name] <= _TOKENS_MAX for name in names
    ):
        raise UpstreamFailure("garbage", status=200)
    return Usage(**{name: counts[name] for name in names})


def _refusal(reply: Reply) -> CallerFault | UpstreamFailure:
    status = reply.status
    retry_after = _seconds(reply.headers.get("retry-after"))
    if status in (400, 413, 422):
        return _caller_fault(reply.body)
    if status == 429:  # noqa: PLR2004
        return UpstreamFailure("throttled", status=status, retry_after_s=retry_after)
    if status >= 500:  # noqa: PLR2004
        return UpstreamFailure("unavailable", status=status, retry_after_s=retry_after)
    return UpstreamFailure("rejected", status=status)


def _caller_fault(body: bytes) -> CallerFault:
    """What the engine found wrong, in our own words: its own may repeat the prompt."""
    try:
        document = json.loads(body)
        error = document.get("error", document)
        said, param = str(error.get("message", "")), error.get("param")
    except (ValueError, AttributeError, RecursionError):
        said, param = "", None
    if match := _CONTEXT.search(said):
        return CallerFault(
            f"The prompt and 'max_tokens' together are longer than the model's {match[1]} tokens.",
            param="max_tokens",
        )
    field = param if isinstance(param, str) and _FIELD.fullmatch(param) else None
    named = f" It names the field {field!r}." if field else ""
    return CallerFault(f"The model refuses this request as invalid.{named}", param=field)


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; dates are left to those who send them."""
    return float(text) if text and text.isdecimal() and len(text) < 6 else None  # noqa: PLR2004
