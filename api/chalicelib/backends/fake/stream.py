"""Server-sent events as vLLM 0.32 streams them: one item an engine step."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from chalicelib.backends.fake.logprobs import chat_logprobs, completion_logprobs, token_ids
from chalicelib.backends.fake.shapes import FINGERPRINT, Completion, encode, usage
from chalicelib.backends.fake.text import Generation

DONE: Final = b"data: [DONE]\n\n"
_MARK: Final = "\x00"


def event(body: dict[str, Any]) -> bytes:
    return f"data: {encode(body)}\n\n".encode()


def events(completion: Completion) -> Iterator[bytes]:
    """The bytes of each step; the last one also holds the usage, where asked, and `[DONE]`.

    Made lazily, so that a long answer does not delay the other streams of its engine.
    """
    last = completion.steps - 1
    makers = [_maker(completion, index) for index in range(len(completion.generations))]
    for step in range(completion.steps):
        parts = [_opening(completion)] if step == 0 and completion.ask.is_chat else []
        parts += [
            make(step)
            for make, generation in zip(makers, completion.generations, strict=True)
            if step < len(generation.tokens)
        ]
        if step == last:
            parts.append(_closing(completion))
        yield b"".join(parts)


def _envelope(completion: Completion, choices: list[dict[str, Any]]) -> dict[str, Any]:
    is_chat = completion.ask.is_chat
    return {
        "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{completion.ident}",
        "object": "chat.completion.chunk" if is_chat else "text_completion",
        "created": completion.created,
        "model": completion.model,
        "choices": choices,
    }


def _opening(completion: Completion) -> bytes:
    """The role of every choice, which a chat says before its first token."""
    ask = completion.ask
    so_far = {"usage": {**usage(completion.prompt_tokens, 0), "completion_tokens_details": None}}
    rest = {
        **(so_far if ask.continuous_usage else {}),
        "prompt_token_ids": token_ids(ask.prompts[0].tokens) if ask.return_token_ids else None,
        "prompt_text": None,
    }
    delta = {"role": "assistant", "content": ""}
    return b"".join(
        event(
            _envelope(
                completion,
                [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None}],
            )
            | rest
        )
        for index in range(len(completion.generations))
    )


def _closing(completion: Completion) -> bytes:
    if not completion.ask.include_usage:
        return DONE
    total = usage(completion.prompt_tokens, completion.completion_tokens)
    ending = {"usage": total, "system_fingerprint": FINGERPRINT}
    return event(_envelope(completion, []) | ending) + DONE


def _maker(completion: Completion, index: int) -> Callable[[int], bytes]:
    """What writes the event of a step; by a template where only the text differs."""
    generation = completion.generations[index]
    ask = completion.ask
    if ask.logprobs is not None or ask.continuous_usage or ask.return_token_ids:
        return lambda step: event(_chunk(completion, index, step, generation.pieces[step]))
    before, after = event(_chunk(completion, index, -1, _MARK)).split(encode(_MARK).encode())
    final = len(generation.tokens) - 1

    def make(step: int) -> bytes:
        piece = generation.pieces[step]
        if step == final:
            return event(_chunk(completion, index, step, piece))
        return before + encode(piece).encode() + after

    return make


def _chunk(completion: Completion, index: int, step: int, piece: str) -> dict[str, Any]:
    ask = completion.ask
    generation = completion.generations[index]
    is_final = step == len(generation.tokens) - 1
    write = _chat_delta if ask.is_chat else _text_delta
    chunk = _envelope(completion, [write(completion, index, step, piece)])
    if ask.continuous_usage:
        details = {"completion_tokens_details": None} if ask.is_chat else {}
        tokens = len(completion.prompt(index).tokens)
        chunk["usage"] = usage(tokens, step + 1) | details
    if is_final and not ask.include_usage:
        chunk["system_fingerprint"] = FINGERPRINT
    return chunk


def _chat_delta(completion: Completion, index: int, step: int, piece: str) -> dict[str, Any]:
    ask, generation = completion.ask, completion.generations[index]
    tokens = generation.tokens[step : step + 1]
    asked = ask.logprobs
    ending = _ending(generation, step)
    return {
        "index": index,
        "delta": {"content": piece},
        "logprobs": None if asked is None else chat_logprobs(tokens, asked, ask.choices),
        "finish_reason": ending["finish_reason"],
        **({"stop_reason": ending["stop_reason"]} if ending["finish_reason"] else {}),
        "token_ids": token_ids(tokens) if ask.return_token_ids else None,
    }


def _text_delta(completion: Completion, index: int, step: int, piece: str) -> dict[str, Any]:
    ask, generation = completion.ask, completion.generations[index]
    tokens = generation.tokens[step : step + 1]
    said = completion.prompt(index).text if ask.echo else ""
    offset = len(said) + sum(map(len, generation.tokens[: max(step, 0)]))
    asked = ask.logprobs
    prompt_ids = ask.return_token_ids and step == 0
    return {
        "index": index,
        "text": said + piece if step == 0 else piece,
        "logprobs": None
        if asked is None
        else completion_logprobs(tokens, asked, ask.choices, offset),
        **_ending(generation, step),
        "prompt_token_ids": token_ids(completion.prompt(index).tokens) if prompt_ids else None,
        "token_ids": token_ids(tokens) if ask.return_token_ids else None,
    }


def _ending(generation: Generation, step: int) -> dict[str, str | None]:
    is_final = step == len(generation.tokens) - 1
    return {
        "finish_reason": generation.finish_reason if is_final else None,
        "stop_reason": generation.stop_reason if is_final else None,
    }
