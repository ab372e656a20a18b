"""All connections to one arm: kept, opened when needed, and one deadline for every request."""

import asyncio
import errno
import ssl
from collections import deque
from collections.abc import Coroutine
from time import monotonic_ns
from typing import Final

from harness.load import failures
from harness.load.address import Address
from harness.load.connection import Connection
from harness.load.exchange import Exchange
from harness.load.pacing import Timers
from harness.load.stamped import Rounds, connected

_NO_SOCKET_LEFT: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})
_OPENING_AT_ONCE: Final = 64
LEAST_SPARE: Final = 8
_IN_FLIGHT_A_SPARE: Final = 4


class Client:
    """Sends exchanges; `Exchange.finished` is called once for each, never within `send`."""

    def __init__(
        self, address: Address, timeout_s: float, timers: Timers, rounds: Rounds | None
    ) -> None:
        self.host: Final = address.host
        self._loop = asyncio.get_running_loop()
        self._places = deque(address.places)
        self._address = address
        self._timeout_ns = round(timeout_s * 1e9)
        self._timers = timers
        self._rounds = None if address.tls else rounds
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._under_way: dict[Exchange, Connection | None] = {}
        self._watching = False

    def send(self, exchange: Exchange) -> None:
        exchange.deadline_ns = monotonic_ns() + self._timeout_ns
        if self._idle:
            connection = self._idle.pop()
            self._under_way[exchange] = connection
            connection.send(exchange)
        else:
            self._under_way[exchange] = None
            self._begin(self._open_for(exchange))
        if not self._watching:
            self._watching = True
            self._timers.at(exchange.deadline_ns, self._expire)

    def keep_spare(self, most: int) -> None:
        """Connections in reserve, so that making one doesn't delay a request's planned time."""
        used = len(self._under_way)
        self._prepare(min(LEAST_SPARE + used // _IN_FLIGHT_A_SPARE, most - used))

    def _prepare(self, spare: int) -> None:
        """Open connections until `spare` are idle or on their way."""
        missing = min(spare - len(self._idle), _OPENING_AT_ONCE) - len(self._opening)
        for _ in range(missing):
            self._begin(self._open_spare())

    async def prepared(self, spare: int) -> None:
        """Before the first request; what can't be opened is told by the requests."""
        for begun in range(0, spare, _OPENING_AT_ONCE):
            self._prepare(min(spare, begun + _OPENING_AT_ONCE))
            if self._opening:
                await asyncio.wait(self._opening, timeout=self._timeout_ns / 1e9)

    async def close(self) -> None:
        """Whatever is under way is forgotten."""
        self._under_way.clear()
        tasks = list(self._opening)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in tuple(self._all):
            connection.drop()
        self._idle.clear()

    # What connections call.

    def keep(self, connection: Connection) -> None:
        connection.kept = True
        self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        if connection in self._all:
            self._all.discard(connection)
            if connection in self._idle:
                self._idle.remove(connection)

    def over(self, exchange: Exchange) -> None:
        if exchange in self._under_way:
            del self._under_way[exchange]
            exchange.finished(exchange)

    def retry(self, exchange: Exchange) -> None:
        """A kept connection was closed while the request was on its way: once more on a new one."""
        exchange.retried = True
        self._under_way[exchange] = None
        self._begin(self._open_for(exchange))

    # Opening.

    def _begin(self, opening: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(opening)
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open_for(self, exchange: Exchange) -> None:
        try:
            connection = await self._opened()
        except OSError as error:
            self._failed(exchange, _class_of(error))
            return
        if exchange in self._under_way:
            self._under_way[exchange] = connection
            connection.send(exchange)
        else:  # its time is up
            self.keep(connection)

    async def _open_spare(self) -> None:
        try:
            self.keep(await self._opened())
        except OSError:
            return  # a request that needs one will say so

    async def _opened(self) -> Connection:
        """To the next place in turn, or whichever takes it. Raises OSError."""
        failed: OSError = OSError("the name is not known")
        for place in tuple(self._places):
            self._places.rotate(-1)
            try:
                connection = await self._connected(place)
            except OSError as error:
                failed = error
                continue
            if connection.open:
                self._all.add(connection)
                return connection
            failed = ConnectionResetError("closed as soon as it was made")
        raise failed

    async def _connected(self, place: tuple[str, int]) -> Connection:
        if self._rounds is not None:
            connection = Connection(self)
            connection.begin(await connected(self._rounds, place, connection))
            return connection
        _, connection = await self._loop.create_connection(
            lambda: Connection(self),
            *place,
            ssl=self._address.tls,
            server_hostname=self._address.name if self._address.tls else None,
        )
        return connection

    # Time.

    def _expire(self) -> None:
        present = monotonic_ns()
        while self._under_way:
            exchange = next(iter(self._under_way))
            if exchange.deadline_ns > present:
                self._timers.at(exchange.deadline_ns, self._expire)
                return
            self._give_up(exchange)
        self._watching = False

    def _give_up(self, exchange: Exchange) -> None:
        connection = self._under_way[exchange]
        if connection is None:
            self._failed(exchange, failures.CONNECT)
        else:
            connection.expire()

    def _failed(self, exchange: Exchange, error: str) -> None:
        exchange.error = error
        exchange.ended_ns = monotonic_ns()
        self.over(exchange)


def _class_of(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return failures.CONNECT
    return failures.CLIENT_LIMIT if error.errno in _NO_SOCKET_LEFT else failures.CONNECT
