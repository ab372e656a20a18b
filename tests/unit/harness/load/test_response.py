from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.response import Response, ResponseError, TooLargeError

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nX-Route-Variant: v1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"8\r\n0\r\n\r\nabc\r\n3\r\ndef\r\n0\r\nX-Late: yes\r\n\r\n"
)
"""Its first chunk looks as if the message ended in the middle."""
LENGTH = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\nX-Route-Variant: v1\r\n\r\nhello"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED


def _received(message: bytes, cuts: list[int]) -> tuple[Response, list[bool]]:
    response = Response()
    edges = [0, *sorted({cut % len(message) for cut in cuts} - {0}), len(message)]
    pieces = [message[low:high] for low, high in pairwise(edges)]
    return response, [response.receive(piece, 0) for piece in pieces]


@given(
    message=st.sampled_from([CHUNKED, LENGTH, CONTINUED]),
    cuts=st.lists(st.integers(1, 300), max_size=40),
)
def test_an_answer_is_complete_with_its_last_byte_however_it_was_cut(
    message: bytes, cuts: list[int]
) -> None:
    response, complete = _received(message, cuts)
    assert complete == [False] * (len(complete) - 1) + [True]
    assert response.body == (b"hello" if message == LENGTH else b"0\r\n\r\nabcdef")
    assert response.status == (503 if message == LENGTH else 200)
    assert response.headers[b"x-route-variant"] == b"v1"
    assert response.keep_alive
    assert not response.surplus
    assert response.stamps == sorted(response.stamps)
    assert len(response.stamps) == len(response.pieces)


@given(cuts=st.lists(st.integers(1, 300), max_size=10))
def test_an_answer_that_ends_with_its_connection_is_complete_then(cuts: list[int]) -> None:
    response, complete = _received(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", cuts)
    assert not any(complete)
    assert response.finish()
    assert response.body == b"until the end"
    assert not response.keep_alive


@pytest.mark.parametrize("message", [CHUNKED, LENGTH, CONTINUED])
@pytest.mark.parametrize("short", [1, 5, 20, 60])
def test_an_answer_cut_short_is_not_complete(message: bytes, short: int) -> None:
    response = Response()
    assert not response.receive(message[:-short], 0)
    assert not response.finish()


def test_nothing_at_all_is_no_answer() -> None:
    response = Response()
    assert not response.finish()
    assert not response.started


def test_a_connection_that_says_more_than_the_answer_is_not_used_again() -> None:
    response = Response()
    assert response.receive(LENGTH + b"HTTP/1.1 200 OK\r\n", 0)
    assert response.body == b"hello"
    assert response.surplus


def test_bytes_after_a_streamed_answer_are_found_when_its_time_is_up() -> None:
    response = Response()
    assert not response.receive(CHUNKED[:90], 0)
    assert not response.receive(CHUNKED[90:] + b"junk", 0)
    assert response.settle()
    assert response.surplus


def test_an_answer_without_a_body_is_complete_with_its_head() -> None:
    response = Response()
    assert response.receive(b"HTTP/1.1 204 No Content\r\n\r\n", 0)
    assert response.body == b""


def test_a_server_that_closes_says_so() -> None:
    response = Response()
    assert response.receive(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 0
    )
    assert not response.keep_alive


def test_what_is_no_http_is_refused() -> None:
    with pytest.raises(ResponseError):
        Response().receive(b"SSH-2.0-OpenSSH_9.2\r\n", 0)


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked", b"Content-Length: 99999", b"X: y"])
def test_an_answer_over_the_limit_is_not_collected(head: bytes) -> None:
    response = Response(limit=1000)
    assert not response.receive(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n", 0)
    for _ in range(90):
        assert not response.receive(b"5\r\nabcde\r\n", 0)
    with pytest.raises(TooLargeError):
        response.receive(b"384\r\n" + b"a" * 900 + b"\r\n", 0)
