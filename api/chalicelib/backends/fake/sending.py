"""One answer on its way out of a fake engine: paced, and going wrong as it should."""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Final

from chalicelib.backends.fake.behaviour import Fault
from chalicelib.backends.fake.engine import FakeAnswer, Stream
from chalicelib.backends.fake.http import LAST_CHUNK, chunk, response_head
from chalicelib.backends.fake.metrics import Meter
from chalicelib.backends.fake.pacing import Pacer

_ENDLESS: Final = chunk(b"x" * 65_536)
_HALF: Final = frozenset({"stall", "reset", "truncate"})


class Sending:
    """Sends `answer`; calls `done` when the connection is free for the next one."""

    def __init__(
        self,
        transport: asyncio.Transport,
        answer: FakeAnswer,
        *,
        pacer: Pacer,
        meter: Meter,
        arrived: float,
        done: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._answer = answer
        self._pacer = pacer
        self._meter = meter
        self._arrived = arrived
        self._done = done
        self._alive = True
        self._paused = False

    def start(self, *, keep_alive: bool, trickle_interval_s: float) -> None:
        self._keep_alive = keep_alive
        self._trickle_interval_s = trickle_interval_s
        _STARTS.get(self._answer.wire, Sending._start_normally)(self)

    def cancel(self) -> None:
        """The peer has gone."""
        if self._alive:
            self._alive = False
            self._meter.abort()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        if self._answer.wire == "huge":
            self._pour()

    def _at(self, seconds: float, then: Callable[[], None]) -> None:
        """Run `then`, `seconds` after the request, unless the peer has gone."""
        if seconds <= 0:
            then()
        else:
            self._pacer.at(self._arrived + seconds, lambda: then() if self._alive else None)

    def _head(self, length: int | None) -> bytes:
        answer = self._answer
        return response_head(
            answer.status, answer.headers, length=length, keep_alive=self._keep_alive
        )

    def _finish(self) -> None:
        self._alive = False
        self._meter.finish()
        if not self._keep_alive:
            self._transport.close()
        self._done()

    def _start_normally(self) -> None:
        stream = self._answer.stream
        if stream is None:
            self._at(self._answer.whole_s, self._send_whole)
            return
        self._transport.write(self._head(None))
        self._step_number = 0
        self._steps = stream.steps // 2 if self._answer.wire in _HALF else stream.steps
        self._at(self._answer.first_s, lambda: self._step(stream))

    def _send_whole(self) -> None:
        body = self._answer.body
        if self._answer.wire in _HALF:
            self._transport.write(self._head(len(body)) + body[: len(body) // 2])
            self._break_off()
            return
        self._transport.write(self._head(len(body)) + body)
        self._meter.whole(self._answer.first_s, self._answer.gap_s)
        self._finish()

    def _step(self, stream: Stream) -> None:
        """Send what is due now: one step, or all that is left where there is no pace."""
        gap = self._answer.gap_s
        upto = min(self._steps, self._step_number + 1) if gap > 0 else self._steps
        due = [chunk(next(stream.events)) for _ in range(self._step_number, upto)]
        if upto == stream.steps:
            due.append(LAST_CHUNK)
        self._transport.write(b"".join(due))
        for number in range(self._step_number, upto):
            self._meter.step(number)
        self._step_number = upto
        if upto == stream.steps:
            self._finish()
        elif upto == self._steps:
            self._break_off()
        else:
            next_s = self._answer.first_s + gap * upto
            self._at(next_s, lambda: self._step(stream))

    def _break_off(self) -> None:
        if self._answer.wire == "truncate":
            self._transport.close()
        elif self._answer.wire == "reset":
            self._reset()

    def _reset(self) -> None:
        """Abort with RST instead of FIN: the peer's read fails."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _hang(self) -> None:
        """Nothing, until the peer gives up."""

    def _start_trickling(self) -> None:
        content = self._answer.content()
        self._transport.write(self._head(len(content)))
        self._trickle(content, 0)

    def _trickle(self, content: bytes, place: int) -> None:
        if place == len(content):
            self._finish()
            return
        self._transport.write(content[place : place + 1])
        seconds = self._answer.first_s + self._trickle_interval_s * (place + 1)
        self._at(seconds, lambda: self._trickle(content, place + 1))

    def _start_pouring(self) -> None:
        self._transport.write(self._head(None) + chunk(b'{"id": "'))
        self._pour()

    def _pour(self) -> None:
        """Endlessly, but a block a turn of the loop and only as fast as the peer reads."""
        if self._alive and not self._paused:
            self._transport.write(_ENDLESS)
            asyncio.get_running_loop().call_soon(self._pour)


_STARTS: Final[Mapping[Fault, Callable[[Sending], None]]] = {
    "refuse": Sending._reset,  # noqa: SLF001  (its own class)
    "hang": Sending._hang,  # noqa: SLF001
    "trickle": Sending._start_trickling,  # noqa: SLF001
    "huge": Sending._start_pouring,  # noqa: SLF001
}
