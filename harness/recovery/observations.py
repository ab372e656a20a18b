"""What was observed, one line each; all that the report says is derived from these.

A line is written when its answer is there and never changed, so a run that was killed goes on where
it was, and a line that was cut off counts as not written.
"""

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import msgspec

from harness.errors import StoreError
from harness.runs.journal import cannot_write, lines_of, mend

FILE: Final = "recovery.jsonl"

Key = tuple[str, str, str]
"""Kind, arm, and row or turn."""


class _Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    arm: str
    error: str = ""
    """Why there is no answer, a class of `harness.load.failures`, or what is
    missing in it; empty for a proper one."""
    variant: str = ""
    target: str = ""
    """Who answered, where the gateway says so."""

    @property
    def ok(self) -> bool:
        return not self.error


class Generated(_Observation, frozen=True, kw_only=True, tag="generated"):
    """A greedy answer."""

    prompt_id: str
    output: str = ""
    prompt_ids: tuple[int, ...] = ()
    token_ids: tuple[int, ...] = ()
    """The end token among them, where the answer ended by itself."""
    finish_reason: str = ""

    @property
    def key(self) -> Key:
        return ("generated", self.arm, self.prompt_id)


class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a model expects at one place of a given text."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    ranks: tuple[int, ...]
    """1 is the most probable. The given token is listed too, whatever its rank."""


class Scored(_Observation, frozen=True, kw_only=True, tag="scored"):
    """The reference's answer as this arm sees it, token by token."""

    prompt_id: str
    positions: tuple[Position, ...] = ()

    @property
    def key(self) -> Key:
        return ("scored", self.arm, self.prompt_id)


class Timed(_Observation, frozen=True, kw_only=True, tag="timed"):
    """One arm's place in one turn, in which all arms are asked the same row."""

    turn: int
    first_ns: int = 0
    """A whole answer of one token."""
    whole_ns: int = 0
    """A whole answer of `tokens` tokens."""
    tokens: int = 0

    @property
    def key(self) -> Key:
        return ("timed", self.arm, str(self.turn))


class Batch(_Observation, frozen=True, kw_only=True, tag="batch"):
    """As many answers at once as the plan's concurrency."""

    turn: int
    ns: int = 0
    tokens: int = 0

    @property
    def key(self) -> Key:
        return ("batch", self.arm, str(self.turn))


class Footprint(_Observation, frozen=True, kw_only=True, tag="footprint"):
    """What the engine says of its memory, in bytes; None where it says nothing."""

    kv_cache_bytes: int | None = None
    server_bytes: int | None = None
    """Resident, of the process that answers HTTP: with vLLM not the one that holds the weights."""

    @property
    def key(self) -> Key:
        return ("footprint", self.arm, "")


Observation = Generated | Scored | Timed | Batch | Footprint

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Observation)


class Log:
    """`recovery.jsonl` of a run, open for appending by this process alone."""

    def __init__(self, path: Path) -> None:
        """Cuts off an unfinished last line. Raises StoreError where it can't be written."""
        self.path = path
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise StoreError(f"{path} is being recorded by another process") from None
        mend(path)

    def append(self, observation: Observation) -> None:
        line = _encoder.encode(observation) + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        if written != len(line):
            raise StoreError(f"{self.path} can't be written: the disk took only a part of a line")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Observation]:
    """All whole lines. Raises StoreError for one that is none."""
    for number, line in lines_of(path, torn_end=True):
        try:
            yield _decoder.decode(line)
        except msgspec.DecodeError as error:
            raise StoreError(f"{path}: line {number} is damaged: {error}") from None
