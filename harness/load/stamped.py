"""Plain connections that are stamped by the kernel: when a segment came, not when we looked.

So answers need not be read the moment they come: every three milliseconds all that is there is read
in one round, which costs a third of waking up for each token, and a stamp is about ten microseconds
after the server's write however busy this process is. Two segments of one answer that are read
together have the time of the later one.

Linux, without TLS; elsewhere the event loop's transports serve, and stamps are taken on reading.
"""

import asyncio
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Final, Protocol

from harness.load.pacing import Timers

ROUND_NS: Final = 3_000_000
_SO_TIMESTAMPNS: Final = 35
"""Of Linux; the only control message that is asked for."""
_TIMESPEC: Final = struct.Struct("qq")
_CONTROL_BYTES: Final = 64
_READ: Final = 16_384


class Receiver(Protocol):
    def received(self, data: bytes, stamp_ns: int) -> None:
        """`stamp_ns` is by the monotonic clock."""

    def connection_lost(self, exc: Exception | None) -> None: ...


class Rounds:
    """Reads all its connections in turn; sleeps while nothing comes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timers: Timers) -> None:
        self.loop: Final = loop
        self.epoll: Final = select.epoll()
        self.by_descriptor: Final[dict[int, StampedTransport]] = {}
        self.offset_ns = 0
        """From the clock of the kernel's stamps to the monotonic one."""
        self._timers = timers
        self._sleep()

    def close(self) -> None:
        with suppress(ValueError):  # asleep or not
            self.loop.remove_reader(self.epoll)
        self.epoll.close()

    def _sleep(self) -> None:
        self.loop.add_reader(self.epoll, self._wake)

    def _wake(self) -> None:
        self.loop.remove_reader(self.epoll)
        self._round()

    def _round(self) -> None:
        ready = self.epoll.poll(0)
        if not ready:
            self._sleep()
            return
        self.offset_ns = time.monotonic_ns() - time.time_ns()
        for descriptor, _ in ready:
            transport = self.by_descriptor.get(descriptor)
            if transport is not None:
                transport.ready()
        self._timers.at(time.monotonic_ns() + ROUND_NS, self._round)


class StampedTransport:
    """A connected socket. `write` and `abort` are as asyncio's transports have them."""

    def __init__(self, rounds: Rounds, connected: socket.socket, receiver: Receiver) -> None:
        self._rounds = rounds
        self._socket: socket.socket | None = connected
        self._descriptor = connected.fileno()
        self._receiver = receiver
        self._unsent = b""
        self._writing = False
        self._latest_ns = 0
        rounds.by_descriptor[self._descriptor] = self
        rounds.epoll.register(self._descriptor, select.EPOLLIN)

    def write(self, data: bytes) -> None:
        self._latest_ns = time.monotonic_ns()
        self._unsent += data
        self._flush()

    def abort(self) -> None:
        self._close()

    def ready(self) -> None:
        """There is something to read, or room to write."""
        if self._unsent:
            self._flush()
        while self._socket is not None:
            try:
                # Else the kernel acknowledges each segment when it is read, which costs more than
                # reading it; it forgets this now and then, so it is told each time.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
                data, control, _, _ = self._socket.recvmsg(_READ, _CONTROL_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self._lost(error)
                return
            if not data:
                self._lost(None)
                return
            if control:
                seconds, nanoseconds = _TIMESPEC.unpack(control[0][2])
                stamp = seconds * 1_000_000_000 + nanoseconds + self._rounds.offset_ns
                self._latest_ns = max(self._latest_ns, stamp)  # the wall clock may be set back
            else:
                self._latest_ns = time.monotonic_ns()
            self._receiver.received(data, self._latest_ns)
            if len(data) < _READ:
                return

    def _flush(self) -> None:
        if self._socket is None:
            return
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError as error:
            self._rounds.loop.call_soon(self._lost, error)
            return
        if bool(self._unsent) is not self._writing:
            self._writing = not self._writing
            interest = select.EPOLLIN | (select.EPOLLOUT if self._writing else 0)
            self._rounds.epoll.modify(self._descriptor, interest)

    def _lost(self, error: Exception | None) -> None:
        if self._socket is not None:
            self._close()
            self._receiver.connection_lost(error)

    def _close(self) -> None:
        if self._socket is not None:
            del self._rounds.by_descriptor[self._descriptor]
            with suppress(OSError, ValueError):
                self._rounds.epoll.unregister(self._descriptor)
            self._socket.close()
            self._socket = None


def rounds_of(loop: asyncio.AbstractEventLoop, timers: Timers) -> Rounds | None:
    """None where the kernel doesn't stamp."""
    return Rounds(loop, timers) if sys.platform == "linux" else None


async def connected(rounds: Rounds, place: tuple[str, int], receiver: Receiver) -> StampedTransport:
    """Raises OSError."""
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        await rounds.loop.sock_connect(opened, place)
    except BaseException:
        opened.close()
        raise
    return StampedTransport(rounds, opened, receiver)
