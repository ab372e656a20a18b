"""What docs/http-api.md promises of every answer. Each function tells what is wrong with one."""

import re
from collections.abc import Collection
from typing import Any, Final

import httpx

from harness.demo.proof import CONTRACT_HEADERS

ERROR_FIELDS: Final = frozenset({"message", "type", "code", "param", "correlation_id"})
PROPER_ENDINGS: Final = frozenset({"stop", "length", "tool_calls"})
_INTERNAL: Final = re.compile(r"Traceback|\.py\b|\.internal\b|svc\.cluster|127\.0\.0\.1|localhost")
_SHOWN: Final = 200


def document_of(response: httpx.Response) -> dict[str, Any]:
    """Empty where it holds no JSON object."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def header_problems(response: httpx.Response) -> list[str]:
    return [f"no {name}" for name in CONTRACT_HEADERS if not response.headers.get(name)]


def status_problems(response: httpx.Response, allowed: Collection[int]) -> list[str]:
    if response.status_code in allowed:
        return []
    expected = " or ".join(map(str, sorted(allowed)))
    return [f"{response.status_code} instead of {expected}: {response.text[:_SHOWN]}"]


def error_problems(
    response: httpx.Response, codes: Collection[str] = (), param: str | None = None
) -> list[str]:
    """Of an answer that is an error: its shape, and what it must name."""
    error = document_of(response).get("error")
    if not isinstance(error, dict) or set(error) != ERROR_FIELDS:
        return [f"{response.status_code} without the contract's error: {response.text[:_SHOWN]}"]
    problems = header_problems(response)
    if codes and error["code"] not in codes:
        problems.append(f"code {error['code']!r} instead of {' or '.join(codes)}")
    if param is not None and error["param"] != param:
        problems.append(f"param {error['param']!r} instead of {param!r}")
    if error["correlation_id"] != response.headers.get("X-Correlation-ID"):
        problems.append("the error's correlation id is not the header's")
    if not error["message"]:
        problems.append("it has no message")
    elif found := _INTERNAL.search(str(error["message"])):
        problems.append(f"the message shows the inside: {found.group()!r}")
    return problems


def text_of(document: dict[str, Any]) -> str:
    """The answer, of whichever contract."""
    match document:
        case {"output": str(text)} | {"choices": [{"message": {"content": str(text)}}, *_]}:
            return text
    return ""


def answer_problems(response: httpx.Response) -> list[str]:
    """Of an answer by a model: whole, ended properly, with the engine's token counts."""
    problems = status_problems(response, {httpx.codes.OK})
    if problems:
        return problems
    document = document_of(response)
    problems = header_problems(response)
    if not text_of(document).strip():
        problems.append("the answer is empty")
    match document:
        case {"finish_reason": str(ending)} | {"choices": [{"finish_reason": str(ending)}, *_]}:
            pass
        case _:
            ending = "none"
    if ending not in PROPER_ENDINGS:
        problems.append(f"finish reason {ending!r}")
    return [*problems, *_usage_problems(document.get("usage"))]


def _usage_problems(usage: object) -> list[str]:
    match usage:
        case {
            "prompt_tokens": int(asked),
            "completion_tokens": int(said),
            "total_tokens": int(sum_),
        }:
            if asked < 1 or said < 1:
                return [f"usage says {asked} prompt and {said} completion tokens"]
            return [] if asked + said == sum_ else [f"usage: {asked} + {said} is not {sum_}"]
    return ["it has no usage"]
