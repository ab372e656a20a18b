"""One kept connection: a request at a time, and a time-stamp for every segment of its answer."""

import asyncio
from time import monotonic_ns
from typing import Protocol, cast

from harness.load import failures
from harness.load.exchange import Exchange
from harness.load.response import Response, ResponseError, TooLargeError


class Transport(Protocol):
    """As much of asyncio's as is used here."""

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...


class Owner(Protocol):
    """Whoever sends by connections, and is told what becomes of them."""

    def keep(self, connection: "Connection") -> None:
        """It can be used again."""

    def lost(self, connection: "Connection") -> None:
        """It can't."""

    def over(self, exchange: Exchange) -> None:
        """It was answered, or has failed."""

    def retry(self, exchange: Exchange) -> None:
        """A kept connection was closed before anything of the answer came."""


class Connection(asyncio.Protocol):
    """Tells its owner when an exchange is over, and when it can't be used any more."""

    __slots__ = ("_exchange", "_owner", "_response", "_transport", "kept", "open")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: Transport | None = None
        self._exchange: Exchange | None = None
        self._response: Response | None = None
        self.open = False
        self.kept = False
        """It has been idle: the server may have closed it just when the next request was sent."""

    def begin(self, transport: Transport) -> None:
        self._transport = transport
        self.open = True

    def send(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._response = exchange.response = Response()
        exchange.sent_ns = exchange.sent_ns or monotonic_ns()
        if self._transport is not None:
            self._transport.write(exchange.payload)

    def drop(self) -> None:
        """Close now; what is under way here is forgotten."""
        self.open = False
        self._exchange = self._response = None
        if self._transport is not None:
            self._transport.abort()

    def expire(self) -> None:
        """The time for what is under way here is up."""
        try:
            if self._response is not None and self._response.settle():
                self._answered(self._response)
            else:
                self._over(failures.TIMEOUT)
        except ResponseError:
            self._over(failures.TIMEOUT)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begin(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        self.received(data, monotonic_ns())

    def received(self, data: bytes, stamp_ns: int) -> None:
        response = self._response
        if response is None:  # nobody asked
            self.drop()
            return
        try:
            if response.receive(data, stamp_ns):
                self._answered(response)
        except TooLargeError:
            self._over(failures.TOO_LARGE)
        except ResponseError:
            self._over(failures.GARBAGE)

    def eof_received(self) -> None:
        self._closed_by_server()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # why doesn't matter
        self._closed_by_server()
        self._transport = None

    def _closed_by_server(self) -> None:
        self.open = False
        self._owner.lost(self)
        exchange, response = self._exchange, self._response
        if exchange is None or response is None:
            return
        try:
            if response.finish():
                self._answered(response)
            elif self.kept and not response.started and not exchange.retried:
                self._exchange = self._response = None
                response.release()
                self._owner.retry(exchange)
            else:
                self._over(failures.RESET)
        except TooLargeError:
            self._over(failures.TOO_LARGE)
        except ResponseError:
            self._over(failures.GARBAGE)

    def _answered(self, response: Response) -> None:
        exchange = self._take()
        exchange.ended_ns = response.end_ns
        if response.keep_alive and not response.surplus:
            self._owner.keep(self)
        else:
            self.drop()
        self._owner.over(exchange)

    def _over(self, error: str) -> None:
        exchange = self._take()
        if exchange.response is not None:
            exchange.response.release()
        exchange.error = error
        exchange.ended_ns = monotonic_ns()
        self.drop()
        self._owner.over(exchange)

    def _take(self) -> Exchange:
        exchange = self._exchange
        if exchange is None:
            raise RuntimeError("nothing is under way here")
        self._exchange = self._response = None
        return exchange
