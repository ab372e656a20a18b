"""One record a request: what was observed, and nothing that can be derived from it.

Times are nanoseconds in the run's own time, which begins at 0 with its first segment and stands
still while a run that was interrupted waits to be resumed. Whether an answer was right is not in
here: checks are graded from records and promptset, again whenever somebody asks.
"""

from typing import Final

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    index: int
    """Which planned request; the ledger proves that each is here exactly once."""
    arm: str
    prompt_id: str
    planned_ns: int
    sent_ns: int
    """When its bytes were given to the socket; when it was given up, where they never were."""
    first_ns: int | None = None
    """When the first content of a streamed answer came."""
    end_ns: int
    gaps_us: tuple[int, ...] = ()
    """Between the pieces of a streamed answer. A piece is not a token: see `usage`."""
    status: int = 0
    """HTTP's; 0 where no answer came."""
    error: str = ""
    """A class of `harness.load.failures`; empty for a whole, proper answer."""
    finish_reason: str = ""
    output: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    """The server's own counts, None where it gave none."""
    model: str = ""
    variant: str = ""
    target: str = ""
    correlation_id: str = ""

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def latency_ns(self) -> int:
        """From the planned send time, so that a stalled server can't hide its queue."""
        return self.end_ns - self.planned_ns

    @property
    def ttft_ns(self) -> int | None:
        """Time to first token, from the planned send time."""
        return None if self.first_ns is None else self.first_ns - self.planned_ns

    @property
    def tpot_ns(self) -> int | None:
        """Time per output token after the first, by the server's token count."""
        if self.first_ns is None or self.completion_tokens is None or self.completion_tokens < 2:  # noqa: PLR2004
            return None
        return (self.end_ns - self.first_ns) // (self.completion_tokens - 1)


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(Record).decode
