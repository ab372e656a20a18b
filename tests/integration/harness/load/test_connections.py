"""Servers below HTTP: segments cut anywhere, connections that close at the wrong moment."""

import socket
import threading
from collections.abc import Callable

import pytest

from harness.load import failures
from harness.plan import Arm, Closed, Load
from harness.records import Record
from tests.support.load import driven, plan
from tests.support.sockets import listening, receive_request

USAGE = b'"usage":{"prompt_tokens":1,"completion_tokens":2}'
EVENTS = (
    b'data: {"model":"m","choices":[{"delta":{"content":"one"},"finish_reason":null}]}\n\n'
    b'data: {"model":"m","choices":[{"delta":{"content":" 0\\r\\n\\r\\n"},'
    b'"finish_reason":"stop"}]}\n\n'
    b'data: {"model":"m","choices":[],' + USAGE + b"}\n\ndata: [DONE]\n\n"
)
HEAD = b"HTTP/1.1 200 OK\r\nX-Route-Variant: v1\r\nX-Route-Target: vllm:x\r\n"
STREAMED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(EVENTS), EVENTS)
CLOSING = HEAD + b"Connection: close\r\n\r\n" + EVENTS
WHOLE_BODY = (
    b'{"model":"m","choices":[{"finish_reason":"stop","message":{"content":"one"}}],%s}' % USAGE
)
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(WHOLE_BODY), WHOLE_BODY)


BIG_EVENT = b'data: {"model":"m","choices":[{"delta":{"content":"%s"}}]}\n\n' % (b"x" * 4000)


def _asked(url: str, *, times: int = 1, stream: bool = True, timeout_s: float = 30) -> list[Record]:
    arm = Arm(name="a", url=url, model="m", stream=stream, timeout_s=timeout_s)
    load = Load(arrivals=Closed(concurrency=1), count=times)
    return driven(plan(arm, load=load))[1]


def _kept(answer: bytes) -> Callable[[socket.socket, int], None]:
    def script(connection: socket.socket, _number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while receive_request(connection):
            connection.sendall(answer)

    return script


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize(
    ("answer", "stream"),
    [(STREAMED, True), (b"HTTP/1.1 100 Continue\r\n\r\n" + STREAMED, True), (WHOLE, False)],
)
def test_answers_cut_anywhere_are_read_and_their_connection_is_kept(
    answer: bytes,
    size: int,
    stream: bool,  # noqa: FBT001
) -> None:
    connections = []

    def script(connection: socket.socket, number: int) -> None:
        connections.append(number)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while receive_request(connection):
            for begin in range(0, len(answer), size):
                connection.sendall(answer[begin : begin + size])

    with listening(script) as url:
        records = _asked(url, times=3, stream=stream)
    assert [(record.error, record.completion_tokens) for record in records] == [("", 2)] * 3
    assert {record.output for record in records} == {"one 0\r\n\r\n" if stream else "one"}
    assert {(record.variant, record.target) for record in records} == {("v1", "vllm:x")}
    assert connections == [0]


def test_an_answer_larger_than_the_kernels_buffers_is_read_and_its_connection_kept() -> None:
    events = BIG_EVENT * 500
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part)
        for part in (events[at : at + 10_000] for at in range(0, len(events), 10_000))
    )
    end = b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVENTS), EVENTS)
    answer = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + end
    with listening(_kept(answer)) as url:
        records = _asked(url, times=3)

    assert [record.error for record in records] == [""] * 3
    assert {len(record.output) for record in records} == {4000 * 500 + len("one 0\r\n\r\n")}


def test_an_answer_that_ends_by_closing_is_whole() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        receive_request(connection)
        connection.sendall(CLOSING)

    with listening(script) as url:
        records = _asked(url, times=3)
    assert [record.error for record in records] == [""] * 3


def test_a_kept_connection_that_was_closed_is_made_anew_and_recorded_once() -> None:
    """As a server's idle timeout does, just when the next request is on its way."""
    requests = []

    def script(connection: socket.socket, _number: int) -> None:
        requests.append(receive_request(connection))
        connection.sendall(STREAMED)
        if receive_request(connection):
            requests.append(b"lost")

    with listening(script) as url:
        records = _asked(url, times=4)
    assert [record.error for record in records] == [""] * 4
    assert [record.index for record in records] == [0, 1, 2, 3]
    assert requests.count(b"lost") == 3


def test_a_fresh_connection_that_closes_without_a_word_is_a_reset() -> None:
    seen = []

    def script(connection: socket.socket, number: int) -> None:
        seen.append(number)
        receive_request(connection)

    with listening(script) as url:
        [record] = _asked(url)
    assert record.error == failures.RESET
    assert len(seen) == 2  # the one opened in advance, and one more


def test_a_server_that_talks_without_being_asked_is_not_listened_to() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        receive_request(connection)
        connection.sendall(STREAMED + STREAMED)
        receive_request(connection)

    with listening(script) as url:
        records = _asked(url, times=2, timeout_s=0.5)
    assert [record.error for record in records] == ["", ""]


def test_what_is_no_http_is_garbage() -> None:
    with listening(_kept(b"SSH-2.0-OpenSSH\r\n")) as url:
        [record] = _asked(url)
    assert (record.error, record.status) == (failures.GARBAGE, 0)


def test_bytes_that_trickle_do_not_put_off_the_end_of_the_time() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        receive_request(connection)
        connection.settimeout(0.02)
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\n \r\n")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    with listening(script) as url:
        [record] = _asked(url, timeout_s=0.3)
    assert record.error == failures.TIMEOUT
    assert record.end_ns - record.sent_ns < 5_000_000_000


def test_an_ipv6_address_can_be_asked() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            _kept(WHOLE)(connection, 0)

    with listener:
        server = threading.Thread(target=serve)
        server.start()
        [record] = _asked(f"http://[::1]:{listener.getsockname()[1]}", stream=False)
        server.join()
    assert record.error == ""
