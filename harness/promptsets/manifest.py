"""What a promptset says of itself; checked against its rows whenever it is loaded."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec

from harness.promptsets.compatibility import compatible
from harness.promptsets.rows import Label, Row, encoded

ROWS: Final = "prompts.jsonl"
FILE: Final = "manifest.json"
COMPATIBLE: Final = ">=0.1,<1"
Count = Annotated[int, msgspec.Meta(ge=0)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Generator(_Data, frozen=True, kw_only=True):
    """What made the set; the same again makes it again, byte for byte."""

    name: str
    arguments: dict[str, Any] = {}
    sources: dict[str, Digest] = {}
    """SHA-256 of each scenario and domain file that was read, by its path under `sources/`."""


class TokenStatistics(_Data, frozen=True, kw_only=True):
    """Tokens of the prompts as the served model reads them, chat template included."""

    tokenizer: str
    """Name of the model."""
    tokenizer_sha256: Digest
    """Of its tokenizer.json and chat template, one after the other."""
    min: Count
    p50: Count
    p95: Count
    max: Count
    total: Count
    max_with_answer: Count
    """The most that a row's prompt and its `max_tokens` come to."""


class Manifest(_Data, frozen=True, kw_only=True):
    name: Label
    version: Annotated[int, msgspec.Meta(ge=1)]
    description: str
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    generator: Generator
    count: Count
    sha256: Digest
    """Of `prompts.jsonl`."""
    tokens: TokenStatistics | None
    """None where they were not measured, or no row has a prompt."""
    context: Annotated[int, msgspec.Meta(ge=1)]
    """Tokens that a prompt and its answer may come to at most."""
    categories: dict[str, int]
    buckets: dict[str, int]
    splits: dict[str, int]
    harness: str
    """Versions of the harness that can use the set: `>=0.1,<1`."""

    def __post_init__(self) -> None:
        compatible(self.harness, "0")


def counts(labels: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(labels).items()))


def digest(payload: bytes) -> str:
    return sha256(payload).hexdigest()


def describe(  # noqa: PLR0913  (a manifest has many fields)
    rows: tuple[Row, ...],
    *,
    name: str,
    version: int,
    description: str,
    seed: int,
    generator: Generator,
    tokens: TokenStatistics | None,
    context: int,
) -> Manifest:
    return Manifest(
        name=name,
        version=version,
        description=description,
        seed=seed,
        generator=generator,
        count=len(rows),
        sha256=digest(encoded(rows)),
        tokens=tokens,
        context=context,
        categories=counts(row.category for row in rows),
        buckets=counts(row.bucket for row in rows),
        splits=counts(row.split for row in rows),
        harness=COMPATIBLE,
    )


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


decode: Final = msgspec.json.Decoder(Manifest).decode
