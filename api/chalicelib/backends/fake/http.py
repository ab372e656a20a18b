"""HTTP/1.1 as far as a fake engine needs it: bytes in, requests out."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 10 * 1024 * 1024
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    """Without the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    keep_alive: bool = True


class Unreadable(Exception):  # noqa: N818  (the peer's fault)
    """The connection can't go on: answer with `status` and close."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class RequestReader:
    """Collects bytes; requests come out one by one, in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None
        self._length = 0
        self._expected = False

    def feed(self, received: bytes) -> None:
        self._buffer += received

    def take(self) -> Request | None:
        """The next complete request, or None until more has come.

        Raises:
            Unreadable: it is not HTTP/1.1, too large, or in an encoding not spoken here.
        """
        if self._head is None and not self._take_head():
            return None
        head = self._head
        if head is None or len(self._buffer) < self._length:
            return None
        body = bytes(memoryview(self._buffer)[: self._length])
        del self._buffer[: self._length]
        self._head, self._expected = None, False
        return Request(
            method=head.method,
            path=head.path,
            headers=head.headers,
            body=body,
            keep_alive=head.keep_alive,
        )

    @property
    def waiting_bytes(self) -> int:
        return len(self._buffer)

    def wants_continue(self) -> bool:
        """Whether the peer waits for `CONTINUE`; true once a request."""
        waits = self._expected
        self._expected = False
        return waits

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD_BYTES or (end < 0 and len(self._buffer) > MAX_HEAD_BYTES):
            raise Unreadable(431, f"the headers are larger than {MAX_HEAD_BYTES} bytes")
        if end < 0:
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        self._head = _head(lines)
        self._length = _length(self._head.headers)
        self._expected = self._head.headers.get("expect", "").lower() == "100-continue"
        return True


def _head(lines: list[str]) -> Request:
    try:
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise Unreadable(400, "the first line is not METHOD TARGET VERSION") from None
    if version != "HTTP/1.1":
        raise Unreadable(505, "only HTTP/1.1 is spoken here")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise Unreadable(400, "a header line has no colon")
        headers[name.lower()] = value.strip()
    keep_alive = headers.get("connection", "").lower() != "close"
    path = target.partition("?")[0]
    return Request(method=method, path=path, headers=headers, body=b"", keep_alive=keep_alive)


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise Unreadable(411, "send a Content-Length; chunked requests are not read here")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Unreadable(400, "Content-Length is not a number of bytes")
    if int(length[:20]) > MAX_BODY_BYTES:
        raise Unreadable(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return int(length)


_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


def response_head(
    status: int, headers: Mapping[str, str], *, length: int | None, keep_alive: bool
) -> bytes:
    """Status line and headers; without a `length` the body is chunked."""
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
    if not keep_alive:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


LAST_CHUNK: Final = b"0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)
