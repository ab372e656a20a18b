"""One request on its way, from when it is given to the client until something is known of it."""

from typing import TYPE_CHECKING, Final

from harness.load.item import Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.load.response import Response


class Exchange:
    """Times are `time.monotonic_ns`. It is over when `error` or the response's end is set."""

    __slots__ = (
        "deadline_ns",
        "ended_ns",
        "error",
        "finished",
        "item",
        "payload",
        "planned_ns",
        "response",
        "retried",
        "sent_ns",
    )

    def __init__(
        self, item: Item, payload: bytes, planned_ns: int, finished: "Callable[[Exchange], None]"
    ) -> None:
        self.item: Final = item
        self.payload: Final = payload
        """Head and body."""
        self.planned_ns: Final = planned_ns
        self.finished: Final = finished
        self.response: Response | None = None
        self.sent_ns = 0
        """The first time, where it was sent again. 0: its bytes were never given to a socket."""
        self.ended_ns = 0
        """0 while nothing is known."""
        self.deadline_ns = 0
        self.error = ""
        """A class of failures where no complete HTTP answer came."""
        self.retried = False
