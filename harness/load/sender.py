"""Makes, sends and records single requests; when each goes is the loops' matter."""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import Final

from harness.load import failures
from harness.load.client import Client
from harness.load.exchange import Exchange
from harness.load.items import Items
from harness.load.recording import record_of
from harness.load.requests import Requests
from harness.records import Record


class Sender:
    """`ended` is set by whoever finds that nothing more comes, or with what went wrong."""

    def __init__(
        self,
        items: Items,
        clients: Mapping[str, Client],
        requests: Mapping[str, Requests],
        origin_ns: int,
        sink: Callable[[Record], None],
    ) -> None:
        self.origin_ns: Final = origin_ns
        self.ended: Final = asyncio.get_running_loop().create_future()
        self.in_flight = 0
        self.sent = 0
        self.refused = 0
        self.answered: Callable[[Exchange], None] = lambda _: None
        """Called for each exchange that is over, before it is recorded."""
        self._items = items
        self._clients = clients
        self._requests = requests
        self._sink = sink

    def make(self, index: int, planned_ns: int) -> Exchange:
        """Its bytes, ready to be sent; `planned_ns` by the clock."""
        item = self._items.item(index)
        payload = self._requests[item.arm.name].bytes_of(item)
        return Exchange(item, payload, planned_ns, self._over)

    def send(self, exchange: Exchange) -> None:
        self.in_flight += 1
        self.sent += 1
        self._clients[exchange.item.arm.name].send(exchange)

    def keep_spare(self, most: int) -> None:
        for client in self._clients.values():
            client.keep_spare(most)

    def refuse(self, exchange: Exchange) -> None:
        """Record that it was not sent."""
        self.refused += 1
        exchange.error = failures.CLIENT_LIMIT
        exchange.ended_ns = monotonic_ns()
        self._record(exchange)

    def end(self, error: BaseException | None = None) -> None:
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _over(self, exchange: Exchange) -> None:
        """What comes next goes out before this one's answer is read."""
        self.in_flight -= 1
        try:
            self._record_after(exchange)
        except Exception as error:  # noqa: BLE001  # the event loop would only log it
            self.end(error)

    def _record_after(self, exchange: Exchange) -> None:
        if not self.ended.done():
            self.answered(exchange)
        self._record(exchange)

    def _record(self, exchange: Exchange) -> None:
        requests = self._requests[exchange.item.arm.name]
        correlation_id = requests.correlation_id(exchange.item.index)
        self._sink(record_of(exchange, self.origin_ns, correlation_id))
