"""One prompt of a promptset, and what is known about its answer."""

from typing import Annotated, Any, Final, Literal

import msgspec

from harness.checks import Check

LONGEST_TEXT: Final = 1_000_000
Split = Literal["train", "eval_holdout", "canary_never_train"]
SPLITS: Final[tuple[Split, ...]] = ("train", "eval_holdout", "canary_never_train")

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
Label = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]
Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
Band = tuple[Score, Score]
"""Lowest and highest, both allowed."""
Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=3_600)]


class _Data(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Immutable, strict about what it is read from, and written without what is at its default."""


class Message(_Data, frozen=True, kw_only=True):
    role: Literal["system", "user", "assistant"]
    content: Text


class ScoreBands(_Data, frozen=True, kw_only=True):
    """Where a judge's scores of the row's `candidate` must lie; None isn't asked."""

    coherence: Band | None = None
    helpfulness: Band | None = None
    factuality: Band | None = None
    toxicity: Band | None = None
    passed: bool | None = None

    def __post_init__(self) -> None:
        for name in ("coherence", "helpfulness", "factuality", "toxicity"):
            band: Band | None = getattr(self, name)
            if band is not None and band[0] > band[1]:
                raise ValueError(f"{name}: the band {list(band)} is upside down")


class Request(_Data, frozen=True, kw_only=True):
    """A request that is wrong or hard on purpose, in place of a prompt.

    Sent with the caller's key unless `headers` says otherwise (`{"Authorization": ""}`: none).
    """

    kind: Literal["malformed", "oversized", "burst", "slow"]
    method: str = "POST"
    path: str
    """May hold `{team}`."""
    body: Any = msgspec.UNSET
    """Sent as JSON."""
    raw: str | None = None
    """Sent as it is, instead of `body`."""
    fill: Annotated[int, msgspec.Meta(ge=0, le=64 * 2**20)] = 0
    """So many letters stand where the text `{fill}` is in the body."""
    headers: dict[str, str] = {}
    times: Count = 1
    """So many at once."""
    pieces: Count = 1
    """The body is sent in so many parts,"""
    pause_s: Seconds = 0.0
    """with so long between them."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3_600)] = 60.0
    """Later than this no answer is an answer."""

    def __post_init__(self) -> None:
        if self.body is not msgspec.UNSET and self.raw is not None:
            raise ValueError("request: takes either body or raw")


class Expected(_Data, frozen=True, kw_only=True):
    """What must come back on every one of a request's `times`."""

    status: Annotated[tuple[Status, ...], msgspec.Meta(min_length=1)]
    """One of these."""
    code: tuple[str, ...] = ()
    """`error.code` is one of these, where the status is 4xx or 5xx."""
    param: str | None = None
    """`error.param`."""
    at_least: dict[str, Count] = {}
    """Of the `times`, at least so many with a status: `{"200": 1}`."""


class Row(_Data, frozen=True, kw_only=True):
    """Holds one of `prompt` (a user's turn), `messages` and `request`."""

    prompt_id: Id
    prompt: Text | None = None
    messages: tuple[Message, ...] | None = None
    request: Request | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=4_096)]
    category: Label
    bucket: Label = "short"
    split: Split = "eval_holdout"
    checks: tuple[Check, ...] = ()
    reference: Text | None = None
    """A right answer: it passes the row's checks."""
    candidate: str | None = None
    """An answer, right or wrong, for a judge to score."""
    expected: ScoreBands | None = None
    """What the judge must make of `candidate`."""
    expect: Expected | None = None
    """What must come back for `request`."""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if [self.prompt, self.messages, self.request].count(None) != 2:  # noqa: PLR2004
            raise ValueError("a row holds exactly one of prompt, messages and request")
        if self.messages is not None and (not self.messages or self.messages[-1].role != "user"):
            raise ValueError("messages: the last turn must be the user's")
        if (self.candidate is None) != (self.expected is None):
            raise ValueError("candidate and expected go together")
        if (self.request is None) != (self.expect is None):
            raise ValueError("request and expect go together")

    @property
    def turns(self) -> tuple[Message, ...]:
        """The conversation to send; none for a `request`."""
        if self.messages is not None:
            return self.messages
        return () if self.prompt is None else (Message(role="user", content=self.prompt),)

    @property
    def question(self) -> str:
        """The text of the last user turn; empty for a `request`."""
        turns = self.turns
        return turns[-1].content if turns else ""


_LABELS: Final = ("prompt_id", "category", "bucket", "split", "max_tokens")
decode: Final = msgspec.json.Decoder(Row).decode


def encode(row: Row) -> bytes:
    """One line, its labels first and said even where they are at their defaults."""
    labels = {name: getattr(row, name) for name in _LABELS}
    return msgspec.json.encode(labels | msgspec.to_builtins(row))


def encoded(rows: tuple[Row, ...]) -> bytes:
    """The bytes of `prompts.jsonl`: one row a line, in this order."""
    return b"".join(encode(row) + b"\n" for row in rows)
