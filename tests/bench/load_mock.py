"""An engine that says when it said it: every piece of its answer is its own send time.

    python tests/bench/load_mock.py [--pieces 64] [--ttft-ms 50] [--itl-ms 10]
                                    [--stall-after-s 5 --stall-s 1]

Of a stream's pieces the first one also holds when the request had come. Clocks are CLOCK_MONOTONIC,
which all processes of a machine share. `GET /count` tells how many requests there were.
"""

import argparse
import asyncio
import resource
import sys
import time
from time import monotonic_ns
from typing import cast

import httptools
import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = b'data: {"model":"mock","choices":[{"index":0,"delta":{"content":"%s"}%s}]}\n\n'
_USAGE = b'"usage":{"prompt_tokens":8,"completion_tokens":64}'
_LAST = (
    b'data: {"model":"mock","choices":[],' + _USAGE + b"}\n\ndata: [DONE]\n\n",
    b',"finish_reason":"length"',
)
_WHOLE = (
    b'{"model":"mock","choices":[{"index":0,"finish_reason":"stop","message":{"content":"yes"}}],'
    + _USAGE
    + b"}"
)


class Mock(asyncio.Protocol):
    count = 0
    options: argparse.Namespace

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        loop = asyncio.get_running_loop()
        if self._path == b"/count":
            self._whole(b"%d" % Mock.count)
            return
        if not Mock.count and self.options.stall_s:
            loop.call_later(self.options.stall_after_s, time.sleep, self.options.stall_s)
        Mock.count += 1
        first = loop.time() + self.options.ttft_ms / 1000
        if b'"stream":true' in body:
            loop.call_at(first, self._piece, monotonic_ns(), first, 0)
        else:
            loop.call_at(first, self._whole, _WHOLE)

    def _piece(self, received: int, first: float, number: int) -> None:
        now = monotonic_ns()
        said = b"%d %d " % (received, now) if number == 0 else b"%d " % now
        ending, reason = _LAST if number == self.options.pieces - 1 else (b"", b"")
        event = _EVENT % (said, reason) + ending
        chunk = b"%x\r\n%s\r\n" % (len(event), event)
        if number == 0:
            chunk = _HEAD + chunk
        if ending:
            chunk += b"0\r\n\r\n"
        self._transport.write(chunk)
        if not ending:
            loop = asyncio.get_running_loop()
            due = first + (number + 1) * self.options.itl_ms / 1000
            loop.call_at(due, self._piece, received, first, number + 1)

    def _whole(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Mock, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"mock on http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pieces", type=int, default=64)
    parser.add_argument("--ttft-ms", type=float, default=50)
    parser.add_argument("--itl-ms", type=float, default=10)
    parser.add_argument("--stall-after-s", type=float, default=0)
    parser.add_argument("--stall-s", type=float, default=0)
    Mock.options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
