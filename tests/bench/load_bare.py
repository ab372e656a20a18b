"""What a streamed answer costs at least: a uvloop protocol that stamps its tokens and forgets them.

No client, no plan, no parsing and no records. What the load client takes is told as a multiple of
it, because a token is first of all a system call, and those differ threefold between machines.
"""

import asyncio
import json
import time
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

_END: Final = b"0\r\n\r\n"


def bare_cpu_ms(url: str, *, tokens: int, streams: int, count: int) -> float:
    """CPU of this thread for one of `count` streamed answers, `streams` at once.

    Raises ConnectionError if the server closes a connection.
    """
    return uvloop.run(_bare(url, _payload(tokens), streams, count)) / count / 1e6


async def _bare(url: str, payload: bytes, streams: int, count: int) -> int:
    split = urlsplit(url)
    place = split.hostname or "", split.port or 80
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    left = iter(range(count - streams))
    open_streams = streams

    class Stream(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.Transport", transport)
            self.stamps: list[int] = []

        def data_received(self, data: bytes) -> None:
            nonlocal open_streams
            self.stamps.append(time.monotonic_ns())
            if not data.endswith(_END):
                return
            self.stamps.clear()
            if next(left, None) is not None:
                self.transport.write(payload)
                return
            open_streams -= 1
            if not open_streams and not ended.done():
                ended.set_result(None)

        def connection_lost(self, exc: Exception | None) -> None:
            if not ended.done():
                ended.set_exception(ConnectionError(f"the server closed a connection: {exc}"))

    made = [await loop.create_connection(Stream, *place) for _ in range(streams)]
    before = time.thread_time_ns()
    for transport, _ in made:
        transport.write(payload)
    await ended
    taken = time.thread_time_ns() - before
    for transport, _ in made:
        transport.abort()
    return taken


def _payload(tokens: int) -> bytes:
    body = {
        "model": "mock",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": tokens,
        "ignore_eos": True,
        "messages": [{"role": "user", "content": "Tell 3 tales."}],
    }
    content = json.dumps(body).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
