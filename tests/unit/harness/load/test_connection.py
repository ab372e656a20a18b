"""One connection, without a socket."""

from typing import TYPE_CHECKING

from harness.load.connection import Connection
from harness.load.exchange import Exchange
from harness.load.items import Items
from tests.support.load import plan, rows

if TYPE_CHECKING:
    from harness.load.connection import Owner


class _Nobody:
    def keep(self, connection: Connection) -> None: ...
    def lost(self, connection: Connection) -> None: ...
    def over(self, exchange: Exchange) -> None: ...
    def retry(self, exchange: Exchange) -> None: ...


def test_what_is_sent_again_was_sent_when_it_was_sent_first() -> None:
    owner: Owner = _Nobody()
    exchange = Exchange(Items(plan(), rows()).item(0), b"", 0, lambda _: None)
    Connection(owner).send(exchange)
    first_ns = exchange.sent_ns
    Connection(owner).send(exchange)
    assert exchange.sent_ns == first_ns > 0
