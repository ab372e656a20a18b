"""The fake engine over HTTP, asked by real clients."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from chalicelib.backends.fake import Behaviour, Fault
from chalicelib.backends.fake.server import FakeServer

CHAT = "/v1/chat/completions"
HELLO: dict[str, Any] = {"model": "ref", "messages": [{"role": "user", "content": "hello"}]}
BODY = json.dumps(HELLO).encode()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Behaviour(answer="one two three")) as running:
        yield running


def raw(server: FakeServer) -> socket.socket:
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def request(body: bytes, *headers: str) -> bytes:
    lines = [f"POST {CHAT} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_of(connection: socket.socket) -> int:
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def test_the_official_client_works(server: FakeServer) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        answer = client.chat.completions.create(model="ref", messages=HELLO["messages"])
        assert answer.choices[0].message.content == "one two three"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 5
        assert [model.id for model in client.models.list()] == ["fake"]
        with pytest.raises(openai.BadRequestError, match="temperature must be non-negative"):
            client.completions.create(model="ref", prompt="x", temperature=-1)


def test_the_official_client_streams(server: FakeServer) -> None:
    server.behaviour = Behaviour(
        answer="one two three", time_to_first_token_s=0.002, inter_token_latency_s=0.001
    )
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        stream = client.chat.completions.create(
            model="ref",
            messages=HELLO["messages"],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert text == ["", "one", " two", " thre", "e", ""]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5


def test_what_came_in_is_recorded(server: FakeServer) -> None:
    httpx.post(server.url + CHAT, json=HELLO, headers={"Authorization": "Bearer k", "X-A": "b"})
    (seen,) = server.requests
    assert (seen.method, seen.path, json.loads(seen.body)) == ("POST", CHAT, HELLO)
    assert (seen.headers["x-a"], seen.headers["authorization"]) == ("b", "Bearer k")
    (shown,) = httpx.get(f"{server.url}/fake/requests").json()
    assert shown["headers"]["authorization"] == "(hidden)"
    assert json.loads(shown["body"]) == HELLO


def test_a_connection_is_kept_and_pipelined_requests_answered_in_order(server: FakeServer) -> None:
    server.behaviour = Behaviour(answer=str.upper, latency_s=0.001)
    bodies = [
        json.dumps({"messages": [{"role": "user", "content": word}]}).encode() for word in "abc"
    ]
    with closing(raw(server)) as connection:
        connection.sendall(b"".join(request(body) for body in bodies))
        said = []
        reader = connection.makefile("rb")
        for _ in bodies:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += reader.read(1)
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            said.append(json.loads(reader.read(length))["choices"][0]["message"]["content"])
        reader.close()
    assert said == ["A", "B", "C"]


def test_a_body_in_pieces_behind_an_expectation_is_awaited(server: FakeServer) -> None:
    message = request(BODY, "Expect: 100-continue")
    with closing(raw(server)) as connection:
        connection.sendall(message[: -len(BODY)])
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY[:5])
        connection.sendall(BODY[5:])
        assert status_of(connection) == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000, 431),
    ],
)
def test_what_it_cannot_read_it_refuses_and_closes(
    server: FakeServer, sent: bytes, status: int
) -> None:
    with closing(raw(server)) as connection:
        connection.sendall(sent)
        assert status_of(connection) == status
        assert connection.recv(1) == b""


def test_connection_close_is_honoured(server: FakeServer) -> None:
    with closing(raw(server)) as connection:
        connection.sendall(request(BODY, "Connection: close"))
        assert status_of(connection) == 200
        assert connection.recv(1) == b""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang", httpx.ReadTimeout),
        ("stall", httpx.ReadTimeout),
        ("trickle", httpx.ReadTimeout),
        ("reset", httpx.ReadError),
        ("truncate", httpx.RemoteProtocolError),
        ("refuse", httpx.ConnectError),
    ],
)
def test_faults_on_the_wire_reach_the_client(
    server: FakeServer, fault: Fault, error: type[Exception], *, stream: bool
) -> None:
    server.behaviour = Behaviour(fault=fault)
    with pytest.raises(error):
        httpx.post(server.url + CHAT, json={**HELLO, "stream": stream}, timeout=0.2)
    server.behaviour = Behaviour()
    assert httpx.post(server.url + CHAT, json=HELLO).status_code == 200


def test_trickled_bytes_make_the_whole_answer(server: FakeServer) -> None:
    server.behaviour = Behaviour(fault="trickle", trickle_interval_s=0.0001, answer="ok")
    answer = httpx.post(server.url + CHAT, json=HELLO).json()
    assert answer["choices"][0]["message"]["content"] == "ok"


def test_a_huge_answer_comes_as_long_as_it_is_read(server: FakeServer) -> None:
    server.behaviour = Behaviour(fault="huge")
    size = 0
    with httpx.stream("POST", server.url + CHAT, json=HELLO) as answer:
        for piece in answer.iter_raw():
            size += len(piece)
            if size > 8_000_000:
                break
    assert size > 8_000_000
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_a_refusing_engine_keeps_its_port_and_comes_back_on_it(server: FakeServer) -> None:
    server.behaviour = Behaviour(fault="refuse")
    for _ in range(2):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health")
    server.behaviour = Behaviour()
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_a_refusing_engine_still_hears_on_a_connection_that_was_open(server: FakeServer) -> None:
    with httpx.Client(base_url=server.url) as kept:
        assert kept.post("/fake/behaviour", json={"fault": "refuse"}).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health")
        assert kept.post("/fake/behaviour", json={"fault": "none"}).status_code == 200
        assert kept.post(CHAT, json=HELLO).status_code == 200


def test_refusing_now_and_then_resets_connections(server: FakeServer) -> None:
    server.behaviour = Behaviour(fault="refuse", fail_first=1)
    with pytest.raises(httpx.TransportError):
        httpx.post(server.url + CHAT, json=HELLO)
    assert httpx.post(server.url + CHAT, json=HELLO).status_code == 200
