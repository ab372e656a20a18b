"""Streamed answers, read once they are complete: what was said, and when each piece came.

The usual stream, where every event is one line of JSON and no event was cut in two on its way, is
decoded in one go; anything else by the rules for server-sent events.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from harness.load import failures
from harness.load.answers import UNREADABLE, Answer, Choice, Document, answer_of

_END: Final = b"\n\n"
_FIELD: Final = b"data: "
_DONE: Final = b"[DONE]"
_LAST: Final = _FIELD + _DONE + _END
_DECODER: Final = msgspec.json.Decoder(Document)

Stamped = list[tuple[int, Document]]


def streamed(stamps: Sequence[int], pieces: Sequence[bytes]) -> Answer:
    """`pieces` are the body as it came, each with its time-stamp."""
    try:
        events = _at_once(stamps, pieces)
        if events is None:
            events = _one_by_one(stamps, pieces)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return UNREADABLE
    return _told(events) if events or _DONE in b"".join(pieces) else UNREADABLE


def _told(events: Stamped) -> Answer:
    said: list[str] = []
    when: list[int] = []
    finish_reason = usage = None
    model = ""
    for stamp, event in events:
        if event.error is not None:
            return _broken_off(said, when)
        if event.usage is not None:
            usage = event.usage
        if not event.choices:
            continue
        choice = event.choices[0]
        text = _text(choice)
        if text is not None:
            said.append(text)
            when.append(stamp)
        if choice.finish_reason is not None:
            finish_reason = choice.finish_reason
        model = event.model
    return answer_of("".join(said), finish_reason, usage, model, tuple(when))


def _text(choice: Choice) -> str | None:
    """What a piece adds to the answer's text; None where it says nothing at all."""
    delta = choice.delta
    if delta is None:
        return choice.text or None
    return delta.content or ("" if delta.says_something else None)


def _broken_off(said: list[str], when: list[int]) -> Answer:
    return Answer(error=failures.GARBAGE, output="".join(said), stamps=tuple(when))


def _at_once(stamps: Sequence[int], pieces: Sequence[bytes]) -> Stamped | None:
    """None where the stream is not the usual one."""
    if not pieces or not pieces[-1].endswith(_LAST):
        return None
    decode, size = _DECODER.decode, len(_FIELD)
    events: Stamped = []
    told = events.append
    for stamp, piece in zip(stamps, pieces, strict=True):
        if not (piece.startswith(_FIELD) and piece.endswith(_END)):
            return None
        try:
            told((stamp, decode(piece[size:-2])))
        except msgspec.DecodeError:  # more than one event
            payloads = piece[size:-2].split(_END + _FIELD)
            try:
                events.extend((stamp, decode(one)) for one in payloads if one != _DONE)
            except msgspec.DecodeError:
                return None
    return events


def _one_by_one(stamps: Sequence[int], pieces: Sequence[bytes]) -> Stamped:
    return [
        (stamp, _DECODER.decode(payload))
        for stamp, payload in _payloads(stamps, pieces)
        if payload != _DONE
    ]


def _payloads(stamps: Sequence[int], pieces: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """The payload of each event, with the stamp of the piece that completed it."""
    kept: list[bytes] = []
    for stamp, line in _lines(stamps, pieces):
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                kept.append(value.removeprefix(b" "))
        elif kept:
            yield stamp, b"\n".join(kept)
            kept = []


def _lines(stamps: Sequence[int], pieces: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines end with LF or CR LF; one that is not ended is no line."""
    left = b""
    for stamp, piece in zip(stamps, pieces, strict=True):
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield stamp, line.removesuffix(b"\r")
