from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import failures
from harness.load.answers import Answer
from harness.load.events import streamed

USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 3,
    "prompt_tokens_details": {"cached_tokens": 4},
}


def _event(**fields: Any) -> bytes:  # noqa: ANN401  # JSON
    return b"data: " + msgspec.json.encode({"model": "m", "object": "x", **fields}) + b"\n\n"


def _piece(text: str | None = None, reason: str | None = None, **delta: object) -> bytes:
    said = {"content": text, **delta}
    return _event(choices=[{"index": 0, "delta": said, "finish_reason": reason}])


DONE = b"data: [DONE]\n\n"
STREAM = [
    _piece("") + _piece("one\n\ndata: "),
    _piece(" two"),
    _piece("", "stop") + _event(choices=[], usage=USAGE) + DONE,
]
TOLD = Answer(
    output="one\n\ndata:  two",
    finish_reason="stop",
    prompt_tokens=7,
    completion_tokens=3,
    cached_tokens=4,
    model="m",
    stamps=(10, 20),
)


def test_a_stream_tells_what_was_said_and_when() -> None:
    assert streamed([10, 20, 30], STREAM) == TOLD


@given(cuts=st.sets(st.integers(1, len(b"".join(STREAM)) - 1), max_size=30))
def test_events_cut_anywhere_are_read_alike(cuts: set[int]) -> None:
    body = b"".join(STREAM)
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[low:high] for low, high in pairwise(edges)]
    told = streamed(list(range(len(pieces))), pieces)
    assert msgspec.structs.replace(told, stamps=TOLD.stamps) == TOLD
    assert len(told.stamps) == 2


def test_a_cut_event_came_when_its_last_byte_did() -> None:
    first, rest = STREAM[0], b"".join(STREAM[1:])
    assert streamed([1, 2, 3], [first[:-1], first[-1:], rest]).stamps == (2, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"\n", b"\r\n"),
        lambda body: body.replace(b"data: ", b"data:"),
        lambda body: b": ping\n\n" + body,
        lambda body: body.replace(b"data: ", b"event: chunk\nid: 1\ndata: ", 1),
        lambda body: body.replace(b'{"model"', b'{\ndata: "model"'),
        lambda body: body.replace(DONE, b""),
    ],
)
def test_other_ways_to_write_the_same_events_are_read_alike(change: Any) -> None:  # noqa: ANN401
    body = b"".join(STREAM).replace(b"\\n\\ndata: ", b"")
    assert streamed([5], [change(body)]) == msgspec.structs.replace(
        TOLD, output="one two", stamps=(5, 5)
    )


def test_thoughts_and_tool_calls_are_pieces_without_text() -> None:
    stream = [
        _piece(None, reasoning="hm"),
        _piece(None, tool_calls=[{"id": "1"}]),
        _piece(None, "tool_calls") + _event(choices=[], usage=USAGE) + DONE,
    ]
    told = streamed([1, 2, 3], stream)
    assert (told.error, told.output, told.stamps) == ("", "", (1, 2))


def test_plain_completions_stream_text() -> None:
    stream = [
        _event(choices=[{"text": "one", "finish_reason": None}]),
        _event(choices=[{"text": "", "finish_reason": "length"}], usage=USAGE) + DONE,
    ]
    assert streamed([1, 2], stream).output == "one"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", failures.GARBAGE),
        (b"no events", failures.GARBAGE),
        (DONE, failures.ABORTED),
        (_piece("one") + DONE, failures.ABORTED),
        (_piece("one", "abort") + _event(choices=[], usage=USAGE) + DONE, failures.ABORTED),
        (_piece("one", "stop") + DONE, failures.GARBAGE),
        (_piece("one") + _event(error={"message": "died"}) + DONE, failures.GARBAGE),
        (b"data: <html>\n\n" + DONE, failures.GARBAGE),
        (b'data: {"choices": "none"}\n\n' + DONE, failures.GARBAGE),
        (b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n' + DONE, failures.GARBAGE),
    ],
)
def test_streams_that_are_no_answers(body: bytes, error: str) -> None:
    assert streamed([1], [body]).error == error
