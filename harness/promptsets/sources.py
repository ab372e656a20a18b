"""Scenario and domain files: what promptsets are generated from.

A *domain* (`sources/domains/<id>.toml`) holds items: a question in some wordings, its answer, and
how an answer is checked; with `draw`, numbers and names that are drawn anew for every row. A
*scenario* (`sources/scenarios/<id>.toml`) says how many rows of which domains make a set.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from harness.errors import PromptsetError
from harness.promptsets.rows import Label, Message, Split

SOURCES: Final = Path(__file__).parent / "sources"
Positive = Annotated[int, msgspec.Meta(ge=1)]


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Draw(_Data, frozen=True, kw_only=True):
    """One value a row: a whole number (`from`, `to`, `step`), one `of` a list, or `some` of it."""

    first: int | None = msgspec.field(name="from", default=None)
    last: int | None = msgspec.field(name="to", default=None)
    step: Positive = 1
    of: Annotated[list[Any], msgspec.Meta(min_length=1)] | None = None
    some: Positive | None = None
    """So many different ones of `of`, as a list."""

    def __post_init__(self) -> None:
        if (self.of is None) != (self.first is not None and self.last is not None):
            raise ValueError("a draw takes either from and to, or of")
        if self.some is not None and (self.of is None or self.some > len(self.of)):
            raise ValueError("some: there must be as many in `of`")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError("from is beyond to")


class Lines(_Data, frozen=True, kw_only=True):
    """A block of text in which every line is drawn: `{name}` is the block, `name[2].x` a value."""

    count: Positive
    text: str
    draw: dict[str, Draw]
    compute: dict[str, str] = {}
    """May use `number`, the line's own from 1."""
    distinct: tuple[str, ...] = ()
    """These values occur in one line only."""


class Item(_Data, frozen=True, kw_only=True):
    id: Label = ""
    category: Label
    ask: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    """Wordings; one is drawn. `{name}` stands for a value, `{name:.2f}` for one with a format."""
    before: tuple[Message, ...] = ()
    """Turns before the question."""
    answer: str | None = None
    checks: tuple[dict[str, Any] | str, ...] = ()
    """As in a row. A text that is only `{name}` becomes the value itself, e.g. a number."""
    max_tokens: Positive = 64
    bucket: Label = "short"
    tags: tuple[str, ...] = ()
    at_most: Positive = 1
    """So many rows of one set."""
    draw: dict[str, Draw] = {}
    lines: dict[str, Lines] = {}
    compute: dict[str, str] = {}
    """Formulas of `harness.promptsets.expressions`, in order."""
    where: tuple[str, ...] = ()
    """Formulas that must hold; otherwise it is drawn again."""
    candidate: str | None = None
    expected: dict[str, Any] | None = None
    request: dict[str, Any] | None = None
    expect: dict[str, Any] | None = None


class Domain(_Data, frozen=True, kw_only=True):
    id: Label
    description: str
    items: Annotated[tuple[Item, ...], msgspec.Meta(min_length=1)]


class Part(_Data, frozen=True, kw_only=True):
    domain: Label
    count: Positive
    categories: tuple[str, ...] = ()
    """Only these; all where none is named. Likewise the buckets."""
    buckets: tuple[str, ...] = ()
    split: Split | None = None
    """Instead of the scenario's."""
    bucket: Label | None = None
    max_tokens: Positive | None = None
    """Instead of the item's."""


class Scenario(_Data, frozen=True, kw_only=True):
    id: Label
    version: Positive
    description: str
    seed: int
    """The one that the shipped set was made with."""
    split: Split
    context: Positive
    """Tokens that a prompt and its answer may come to."""
    parts: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1)]


_T = TypeVar("_T", Scenario, Domain)


def scenario(name: str, sources: Path = SOURCES) -> Scenario:
    return _load(Scenario, sources / "scenarios", name)


def domain(name: str, sources: Path = SOURCES) -> Domain:
    return _load(Domain, sources / "domains", name)


def known(kind: str, sources: Path = SOURCES) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (sources / kind).glob("*.toml")))


def _load(made: type[_T], folder: Path, name: str) -> _T:
    """Raises PromptsetError: no such file, or not what it should be, with the field."""
    names = known(folder.name, folder.parent)
    if name not in names:
        raise PromptsetError(
            f"there is no {made.__name__.lower()} {name!r} in {folder};"
            f" known are {', '.join(names)}"
        )
    path = folder / f"{name}.toml"
    try:
        found = msgspec.convert(tomllib.loads(path.read_text("utf-8")), made)
    except (OSError, ValueError) as error:
        raise PromptsetError(f"{path}: {error}") from None
    if found.id != name:
        raise PromptsetError(f"{path}: id is {found.id!r}, expected the file's name {name!r}")
    return found
