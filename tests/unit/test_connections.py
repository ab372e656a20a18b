"""Kept-alive connections whose every wait ends at a deadline."""

import errno
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final

import pytest

from chalicelib.backends.fake import Behaviour, Fault
from chalicelib.backends.fake.server import FakeServer
from chalicelib.connections import KEPT_S, MAX_REPLY_BYTES, Connections, _Reader
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure
from tests.support.clocks import Clock, in_time
from tests.support.sockets import Script, listening, receive_request, refusing, silent

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHORT_S: Final = 0.3


@pytest.fixture
def connections() -> Iterator[Connections]:
    with closing(Connections()) as made:
        yield made


def ask(connections: Connections, url: str, seconds: float = 10) -> bytes:
    deadline = Deadline.after(seconds)
    return connections.request("POST", url, headers={}, body=b"{}", deadline=deadline).body


def failure(connections: Connections, url: str, seconds: float = 10) -> str:
    with pytest.raises(UpstreamFailure) as caught:
        ask(connections, url, seconds)
    return str(caught.value.reason)


def saying(*pieces: bytes) -> Script:
    """Answers the first request of each connection with these bytes and hangs up."""

    def script(connection: socket.socket, _number: int) -> None:
        receive_request(connection)
        connection.sendall(b"".join(pieces))

    return script


def test_a_reply_has_status_headers_in_lower_case_and_body(connections: Connections) -> None:
    reply = b"HTTP/1.1 418 Odd\r\nX-Thing: A\r\nContent-Length: 3\r\n\r\nabc"
    with listening(saying(reply)) as url:
        got = connections.request("GET", url, headers={}, deadline=Deadline.after(10))
    assert (got.status, got.headers["x-thing"], got.body) == (418, "A", b"abc")


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            b"abc",
        ),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    ],
)
def test_every_way_to_end_a_reply_is_read(
    connections: Connections, reply: bytes, body: bytes
) -> None:
    with listening(saying(reply)) as url:
        assert ask(connections, url) == body


def test_one_connection_serves_many_requests(connections: Connections) -> None:
    accepted = []

    def script(connection: socket.socket, number: int) -> None:
        accepted.append(number)
        while receive_request(connection):
            connection.sendall(OK)

    with listening(script) as url:
        assert [ask(connections, url) for _ in range(5)] == [b"ok"] * 5
        assert accepted == [0]
        connections.close()


def test_a_kept_connection_the_server_has_closed_is_replaced(connections: Connections) -> None:
    with listening(saying(OK)) as url:  # each connection serves one request
        assert [ask(connections, url) for _ in range(4)] == [b"ok"] * 4


def test_a_kept_connection_that_dies_while_the_request_is_sent_is_replaced(
    connections: Connections,
) -> None:
    """The server hangs up only when the second request has come: nothing was answered yet."""

    def script(connection: socket.socket, _number: int) -> None:
        receive_request(connection)
        connection.sendall(OK)
        receive_request(connection)

    with listening(script) as url:
        assert ask(connections, url) == b"ok"
        assert ask(connections, url) == b"ok"


def test_a_new_connection_that_dies_before_a_byte_is_not_tried_for_ever(
    connections: Connections,
) -> None:
    with listening(lambda connection, _: (receive_request(connection), None)[1]) as url:
        assert failure(connections, url) == "reset"


def test_nobody_listening_is_a_failed_connection(connections: Connections) -> None:
    with refusing() as url:
        assert failure(connections, url) == "connect"


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 300, "-", "[::2]"])
def test_a_host_without_an_address_is_a_failed_connection(
    connections: Connections, host: str
) -> None:
    assert failure(connections, f"http://{host}:9", seconds=2) == "connect"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", "reset"),
        (b"HTTP/1.1 abc\r\n\r\n", "garbage"),
        (b"SSH-2.0-OpenSSH\r\n", "garbage"),
        (b"\x00\x01\x02\r\n\r\n", "garbage"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "garbage"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", "garbage"),
    ],
)
def test_a_reply_that_is_not_whole_http_is_a_failure(
    connections: Connections, reply: bytes, reason: str
) -> None:
    with listening(saying(reply)) as url:
        assert failure(connections, url) == reason


@pytest.mark.parametrize("length", [b"Content-Length: %d\r\n" % (MAX_REPLY_BYTES + 1), b""])
def test_a_reply_larger_than_a_lambda_may_return_is_refused(
    connections: Connections, length: bytes
) -> None:
    body = b"x" * (MAX_REPLY_BYTES + 1)
    with listening(saying(b"HTTP/1.1 200 OK\r\n", length, b"\r\n", body)) as url:
        assert failure(connections, url) == "too_large"


@pytest.mark.parametrize("fault", ["hang", "stall", "trickle"])
def test_whatever_a_server_does_the_wait_ends_at_the_deadline(
    connections: Connections, fault: Fault
) -> None:
    with FakeServer(Behaviour(fault=fault, trickle_interval_s=0.05)) as server:
        url = f"{server.url}/v1/chat/completions"
        body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'

        def ask_it() -> None:
            with pytest.raises(UpstreamFailure, match="timeout"):
                connections.request(
                    "POST",
                    url,
                    headers={"content-type": "application/json"},
                    body=body,
                    deadline=Deadline.after(SHORT_S),
                )

        in_time(SHORT_S, ask_it)


def test_a_server_that_takes_connections_and_says_nothing_is_waited_for_until_the_deadline(
    connections: Connections,
) -> None:
    with silent() as url:
        assert failure(connections, url, seconds=SHORT_S) == "timeout"


def test_silence_in_the_middle_of_a_reply_ends_sooner() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        receive_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        connection.recv(1)

    with listening(script) as url, closing(Connections(idle_s=0.1)) as connections:
        deadline = Deadline.after(30)
        with pytest.raises(UpstreamFailure, match="timeout"):
            connections.request("GET", url, headers={}, deadline=deadline)
        assert deadline.remaining > 20


def test_a_deadline_that_has_passed_asks_nobody(connections: Connections) -> None:
    with silent() as url, pytest.raises(UpstreamFailure):
        ask(connections, url, seconds=0)


def test_a_connection_that_failed_is_not_kept(connections: Connections) -> None:
    """Else its late answer would be taken for the next request's."""

    def script(connection: socket.socket, number: int) -> None:
        receive_request(connection)
        if number == 0:
            connection.recv(1)  # the client gives up
        else:
            connection.sendall(OK)

    with listening(script) as url:
        assert failure(connections, url, seconds=SHORT_S) == "timeout"
        assert ask(connections, url) == b"ok"


def test_a_connection_unused_for_long_is_not_trusted() -> None:
    """A load balancer may have forgotten it, and nobody told a process that was frozen."""
    numbers: list[int] = []

    def script(connection: socket.socket, number: int) -> None:
        while receive_request(connection):
            numbers.append(number)
            connection.sendall(OK)

    clock = Clock()
    with listening(script) as url, closing(Connections(clock=clock)) as connections:
        for seconds in (0, KEPT_S - 1, KEPT_S):
            clock.advance(seconds)
            ask(connections, url)
    assert numbers == [0, 0, 1]


def test_a_host_that_vanishes_is_a_failure_like_any_other(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system calls it "no route to host", which is no `ConnectionError`."""

    def vanished(*_: object) -> int:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(_Reader, "readinto", vanished)
    with listening(saying(OK)) as url:
        assert failure(connections, url) == "reset"


def test_the_last_kept_connection_is_taken_by_one_of_many(connections: Connections) -> None:
    class Contended(list[Any]):
        """Somebody else is always a moment faster."""

        def __bool__(self) -> bool:
            return True

    with listening(saying(OK)) as url:
        connections._kept[url] = Contended()
        assert ask(connections, url) == b"ok"
        connections._kept[url] = list(connections._kept[url])  # for closing them


def test_threads_share_a_pool_without_mixing_up_their_replies(connections: Connections) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while request := receive_request(connection):
            path = request.split(b" ")[1]
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)

    with listening(script) as url:

        def fetch(number: int) -> bool:
            got = connections.request(
                "GET", f"{url}/{number}", headers={}, deadline=Deadline.after(30)
            )
            return got.body == b"/%d" % number

        with ThreadPoolExecutor(max_workers=8) as pool:
            assert all(pool.map(fetch, range(400)))
        connections.close()
