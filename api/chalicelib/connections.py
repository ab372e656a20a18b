"""Kept-alive HTTP/1.1 connections whose every wait ends at a deadline.

`http.client` costs half of what urllib3 does, per request and at import, but its
timeouts are per `recv`: a server that sends a byte a second would hold a request for ever. Here
each read waits for the time that is left.
"""

import http.client
import io
import select
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from chalicelib import tcp
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure

CONNECT_S: Final = 2.0
IDLE_S: Final = 10.0
"""The longest silence in the middle of a reply."""
KEPT_S: Final = 50.0
"""The longest a connection is kept unused: load balancers forget one after a minute, and a process
that was frozen meanwhile is not told."""
MAX_REPLY_BYTES: Final = 6 * 1024 * 1024
"""A Lambda may return no more."""
_KEPT_PER_ORIGIN: Final = 32
_CHUNK: Final = 65_536


class Reply(NamedTuple):
    """What a server answered, unjudged."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Connections:
    """A pool of connections; one for the process, made by the first request that needs it."""

    def __init__(
        self,
        *,
        connect_s: float = CONNECT_S,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.time,  # a monotonic one may stand still while frozen
    ) -> None:
        self._connect_s = connect_s
        self._idle_s = idle_s
        self._clock = clock
        self._kept: defaultdict[str, list[_Connection]] = defaultdict(list)

    def request(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Reply:
        """Send one request and read the whole reply.

        Raises:
            UpstreamFailure: `connect`, `timeout`, `reset`, `garbage` (not HTTP) or `too_large`.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        while True:
            connection = self._kept_alive(origin)
            reused = connection is not None
            if connection is None:
                connection = _Connection(origin, self._connect_s, self._idle_s)
            try:
                reply, reusable = connection.exchange(method, path, body, headers, deadline)
            except _ClosedWhileIdle:
                connection.close()
                if not reused:
                    raise UpstreamFailure("reset") from None
                continue  # the server had hung up on the kept connection: ask on another
            except BaseException:
                connection.close()
                raise
            if reusable and len(self._kept[origin]) < _KEPT_PER_ORIGIN:
                connection.unused_since = self._clock()
                self._kept[origin].append(connection)
            else:
                connection.close()
            return reply

    def close(self) -> None:
        for kept in self._kept.values():
            while kept:
                kept.pop().close()

    def _kept_alive(self, origin: str) -> "_Connection | None":
        kept = self._kept[origin]
        while True:
            try:
                connection = kept.pop()
            except IndexError:  # asked for forgiveness: another thread may take the last one
                return None
            fresh = self._clock() - connection.unused_since < KEPT_S
            if fresh and connection.still_open():
                return connection
            connection.close()


class _ClosedWhileIdle(Exception):  # noqa: N818
    """The connection ended before a byte of the reply came."""


class _Connection(http.client.HTTPConnection):
    """One connection that knows until when it may wait."""

    unused_since = 0.0

    def __init__(self, origin: str, connect_s: float, idle_s: float) -> None:
        parts = urlsplit(origin)
        self._tls = parts.scheme == "https"
        super().__init__(parts.hostname or "", parts.port or (443 if self._tls else 80))
        self._connect_s = connect_s
        self._idle_s = idle_s
        self._deadline = Deadline.after(0)
        self._started = False

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> tuple[Reply, bool]:
        """One request and its reply, and whether the connection can be kept."""
        self._deadline = deadline
        self._started = False
        try:
            self.request(method, path, body, dict(headers))
            with self.getresponse() as response:  # closed even where reading it fails
                content = self._read(response)
        except TimeoutError:
            raise UpstreamFailure("timeout") from None
        except OSError as error:  # a host that vanished is no ConnectionError
            if self._started:
                raise UpstreamFailure("reset") from error
            raise _ClosedWhileIdle from error
        except http.client.IncompleteRead:
            raise UpstreamFailure("reset") from None
        except (http.client.HTTPException, ValueError):
            raise UpstreamFailure("garbage") from None
        reply = Reply(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=content,
        )
        return reply, not response.will_close

    def connect(self) -> None:
        deadline = self._deadline.within(self._connect_s)
        try:
            sock = tcp.connect(self.host, self.port, deadline)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                sock.settimeout(deadline.remaining or 0.001)
                sock = _tls_context().wrap_socket(sock, server_hostname=self.host)
        except (OSError, UnicodeError) as error:  # an unusable host name is a UnicodeError
            raise UpstreamFailure("connect") from error
        self.sock = _DeadlineSocket(sock, self)

    def still_open(self) -> bool:
        """An idle connection has nothing to read; what can be read is its end."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    def patience(self) -> float:
        """Seconds the next read may wait."""
        remaining = self._deadline.remaining
        if remaining <= 0:
            raise TimeoutError
        return min(remaining, self._idle_s) if self._started else remaining

    def received(self) -> None:
        self._started = True

    @staticmethod
    def _read(response: http.client.HTTPResponse) -> bytes:
        pieces = []
        total = 0
        while piece := response.read(_CHUNK):
            total += len(piece)
            if total > MAX_REPLY_BYTES:
                raise UpstreamFailure("too_large")
            pieces.append(piece)
        if response.length:  # `read` with a size takes an early end for the end
            raise UpstreamFailure("reset")
        return b"".join(pieces)


class _DeadlineSocket:
    """What `http.client` uses of a socket, each wait bounded by its connection's deadline.

    A reply that ends with its connection is read after `http.client` has closed the socket, so the
    socket goes when it and its last reader are closed, as the standard library's own does.
    """

    def __init__(self, sock: socket.socket, connection: _Connection) -> None:
        self.socket = sock
        self.connection = connection
        self._users = 1

    def sendall(self, content: bytes) -> None:
        self.socket.settimeout(self.connection.patience())
        self.socket.sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._users += 1
        return io.BufferedReader(_Reader(self), _CHUNK)

    def fileno(self) -> int:
        return self.socket.fileno()

    def close(self) -> None:
        self._users -= 1
        if self._users <= 0:
            self.socket.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: _DeadlineSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        connection = self._sock.connection
        self._sock.socket.settimeout(connection.patience())
        count = self._sock.socket.recv_into(buffer)
        if count:
            connection.received()
        return count

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sock.close()


_context: ssl.SSLContext | None = None


def _tls_context() -> ssl.SSLContext:
    """One context a process: loading the trusted roots is most of what a connection costs."""
    global _context  # noqa: PLW0603
    if _context is None:
        _context = ssl.create_default_context()
    return _context
