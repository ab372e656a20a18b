"""One HTTP answer: its bytes with the moment each segment came, read when it is complete.

While an answer is streamed its segments are only collected. A chunked message can't be complete
unless a segment ends with an empty line, so only then is it given to the parser, which decides;
what is framed otherwise is parsed as it comes.
"""

from time import monotonic_ns
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_BYTES: Final = 16 * 2**20
_BLANK: Final = b"\r\n\r\n"
_INFORMATIONAL: Final = range(100, 200)
_WITHOUT_BODY: Final = frozenset({204, 304})


class ResponseError(Exception):
    """What came is no HTTP."""


class TooLargeError(ResponseError):
    """It went over the limit."""


class Response:
    """`stamps` and `pieces` are the body as it came; both are final once it is complete."""

    __slots__ = (
        "_chunked",
        "_framed",
        "_headed",
        "_limit",
        "_parser",
        "_pending",
        "_received",
        "_stamp",
        "complete",
        "end_ns",
        "headers",
        "keep_alive",
        "pieces",
        "stamps",
        "status",
        "surplus",
    )

    def __init__(self, limit: int = MAX_BYTES) -> None:
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._pending: list[tuple[int, bytes]] = []
        self._received = 0
        self._limit = limit
        self._stamp = 0
        self._chunked = self._framed = self._headed = False
        self.complete = self.keep_alive = self.surplus = False
        self.end_ns = 0
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.stamps: list[int] = []
        self.pieces: list[bytes] = []

    @property
    def started(self) -> bool:
        return self._received > 0

    def receive(self, segment: bytes, stamp_ns: int) -> bool:
        """Whether the answer is complete. Raises ResponseError."""
        self._pending.append((stamp_ns, segment))
        self._received += len(segment)
        if self._chunked and not segment.endswith(_BLANK) and len(segment) >= len(_BLANK):
            if self._received > self._limit:
                raise TooLargeError
            return False
        return self.settle()

    def settle(self) -> bool:
        """Parse what has come so far. Raises ResponseError."""
        if self._received > self._limit:
            raise TooLargeError
        pending, self._pending = self._pending, []
        if self._parser is None:
            self.surplus = self.surplus or bool(pending)
            return self.complete
        feed = self._parser.feed_data
        try:
            for self._stamp, segment in pending:
                if self.complete:
                    self.surplus = True
                    break
                feed(segment)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                raise ResponseError(str(error)) from None
            self.surplus = True
        if self.complete:
            self.release()
        return self.complete

    def release(self) -> None:
        """Let go of the parser, which points back here: while loading nothing collects cycles."""
        self._parser = None

    def finish(self) -> bool:
        """The server has closed: is it complete now? Raises ResponseError."""
        if not self.settle() and self._headed and not self._framed:
            self.complete = True
            self.end_ns = monotonic_ns()
        return self.complete

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self.complete or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        self._headed = True
        self._chunked = b"transfer-encoding" in self.headers
        self._framed = (
            self._chunked or b"content-length" in self.headers or self.status in _WITHOUT_BODY
        )

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self.stamps.append(self._stamp)
            self.pieces.append(body)

    def on_message_begin(self) -> None:
        self.surplus = self.complete

    def on_message_complete(self) -> None:
        if self.complete or self._parser is None:
            return
        if self.status in _INFORMATIONAL:
            self._headed = self._chunked = self._framed = False
            self.headers.clear()
            return
        self.complete = True
        self.end_ns = self._stamp
        self.keep_alive = self._parser.should_keep_alive()
