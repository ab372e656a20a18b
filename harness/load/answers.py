"""What an answer says, whole or streamed, and whether it is a proper one."""

from collections.abc import Callable
from typing import Final

import msgspec

from harness.load import failures


class Cached(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Cached | None = None


class Said(msgspec.Struct, gc=False):
    """A message, or what a streamed piece adds to it."""

    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[msgspec.Raw] | None = None

    @property
    def says_something(self) -> bool:
        return bool(self.content or self.reasoning or self.reasoning_content or self.tool_calls)


class Choice(msgspec.Struct, gc=False):
    finish_reason: str | None = None
    message: Said | None = None
    delta: Said | None = None
    text: str | None = None


class Document(msgspec.Struct, gc=False):
    """Of OpenAI's contract: a whole answer, or one event of a stream; other fields are skipped."""

    choices: list[Choice] = []
    usage: Usage | None = None
    model: str = ""
    error: msgspec.Raw | None = None


class Predicted(msgspec.Struct, gc=False):
    """What `POST /api/{team}/predict` answers."""

    output: str
    finish_reason: str
    usage: Usage
    model_version: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    error: str = ""
    output: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    model: str = ""
    stamps: tuple[int, ...] = ()
    """When each piece of a streamed answer came."""


UNREADABLE: Final = Answer(error=failures.GARBAGE)

Parse = Callable[[bytes], Answer]
_document: Final = msgspec.json.Decoder(Document).decode
_predicted: Final = msgspec.json.Decoder(Predicted).decode


def answer_of(
    output: str,
    finish_reason: str | None,
    usage: Usage | None,
    model: str,
    stamps: tuple[int, ...] = (),
) -> Answer:
    """Proper where it ended properly and its tokens were counted."""
    ending = finish_reason or ""
    usage = usage or Usage()
    error = failures.of_ending(ending)
    if not error and (usage.prompt_tokens is None or usage.completion_tokens is None):
        error = failures.GARBAGE
    details = usage.prompt_tokens_details
    return Answer(
        error=error,
        output=output,
        finish_reason=ending,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=None if details is None else details.cached_tokens,
        model=model,
        stamps=stamps,
    )


def whole(body: bytes) -> Answer:
    """An answer of OpenAI's contract that was not streamed."""
    try:
        document = _document(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return UNREADABLE
    if document.error is not None or not document.choices:
        return UNREADABLE
    choice = document.choices[0]
    text = choice.text if choice.message is None else choice.message.content
    return answer_of(text or "", choice.finish_reason, document.usage, document.model)


def predicted(body: bytes) -> Answer:
    try:
        answer = _predicted(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return UNREADABLE
    return answer_of(answer.output, answer.finish_reason, answer.usage, answer.model_version)
