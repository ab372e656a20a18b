"""What a fake engine says: a toy tokenizer, words from a digest, and when to stop."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

from chalicelib.backends.fake.chance import roll

END: Final = "</s>"
WORDS: Final = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heron",
    "inlet", "jetty", "knoll", "larch", "marsh", "north", "oasis", "pearl",
    "quartz", "ridge", "slate", "tidal", "umber", "vista", "willow", "yarrow",
    "zephyr", "bright", "calm", "deep", "early", "far", "green", "high",
)  # fmt: skip
_TOKEN: Final = re.compile(r"\s*\S{1,4}|\s+")


def tokenize(text: str) -> list[str]:
    """The toy tokenizer: up to four characters, with the white space before them."""
    return _TOKEN.findall(text)


def words(prompt: str, index: int) -> str:
    """8 to 23 words that depend on the prompt and the choice's index only."""
    dice = roll("words", prompt, index)
    return " ".join(WORDS[die % len(WORDS)] for die in dice[1 : 9 + dice[0] % 16])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a generation ends."""

    max_tokens: int
    min_tokens: int = 0
    ignore_eos: bool = False
    stop: Sequence[str] = ()
    include_stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One finished text, token by token."""

    tokens: Sequence[str]
    """As generated, `END` included where the text ended by itself."""
    pieces: Sequence[str]
    """What each token adds to the visible text: nothing for `END` and within a stop string."""
    finish_reason: str
    stop_reason: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def generate(text: str, limits: Limits) -> Generation:
    """Say `text` within `limits`; a text that must be longer starts over."""
    natural = tokenize(text)
    if limits.ignore_eos or len(natural) < limits.min_tokens:
        wanted = limits.max_tokens if limits.ignore_eos else limits.min_tokens
        natural = list(islice(cycle(natural or [" "]), wanted))
    tokens = [*natural, END][: limits.max_tokens]
    ended = len(tokens) > len(natural)
    pieces = [*tokens[:-1], ""] if ended else tokens
    stopped = _stop("".join(pieces), limits)
    if stopped is None:
        reason = "stop" if ended else "length"
        return Generation(tokens=tokens, pieces=pieces, finish_reason=reason)
    stop, at = stopped
    visible = at + len(stop) if limits.include_stop else at
    kept = _cut(tokens, upto=at + len(stop))
    return Generation(
        tokens=kept, pieces=_shorten(kept, visible), finish_reason="stop", stop_reason=stop
    )


def _stop(text: str, limits: Limits) -> tuple[str, int] | None:
    found = [(text.find(stop), stop) for stop in limits.stop if stop in text]
    if not found:
        return None
    at, stop = min(found)
    return stop, at


def _cut(tokens: Sequence[str], *, upto: int) -> list[str]:
    """The tokens that make the first `upto` characters."""
    kept: list[str] = []
    length = 0
    for token in tokens:
        if length >= upto:
            break
        kept.append(token)
        length += len(token)
    return kept


def _shorten(tokens: Sequence[str], length: int) -> list[str]:
    """The same tokens, showing only the first `length` characters of them."""
    pieces: list[str] = []
    for token in tokens:
        piece = token[: max(0, length)]
        pieces.append(piece)
        length -= len(token)
    return pieces
