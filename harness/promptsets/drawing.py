"""From an item of a domain file to a row: values drawn, formulas worked out, texts filled in."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from harness.draws import words
from harness.promptsets.expressions import evaluate
from harness.promptsets.rows import Row, Split
from harness.promptsets.sources import Draw, Item, Lines

_PLACE: Final = re.compile(r"\{([a-z][a-z0-9_]*)((?:\.[a-z0-9_]+|\[\d+\])*)(?::([^{}]*))?\}")
_KEPT: Final = "fill"
"""`{fill}` is not for here: whoever sends a request fills it (`rows.Request`)."""
_TRIES: Final = 200
_T = TypeVar("_T")


class Dice:
    """A stream of draws of its own name; the same for the same seed on every Python."""

    def __init__(self, seed: int, stream: str) -> None:
        self._word: Final[Callable[[int], int]] = words(seed, stream)
        self._next = 0

    def below(self, size: int) -> int:
        self._next += 1
        return self._word(self._next) % size

    def one(self, values: "list[_T] | tuple[_T, ...]") -> _T:
        return values[self.below(len(values))]

    def shuffled(self, values: "list[_T] | tuple[_T, ...]") -> list[_T]:
        left = list(values)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


class _Block(list[dict[str, Any]]):
    """Drawn lines: rows for formulas, one text for prompts."""

    def __init__(self, rows: list[dict[str, Any]], texts: list[str]) -> None:
        super().__init__(rows)
        self._texts = texts

    def __str__(self) -> str:
        return "\n".join(self._texts)


def draw_row(item: Item, dice: Dice, *, prompt_id: str, split: Split, domain: str) -> Row:
    """A row of the item, anew with every call.

    Raises ValueError: a formula or place that makes no sense, or conditions that never hold.
    """
    values = _values(item, dice)
    question = _text(dice.one(item.ask), values) if item.ask else None
    turns = [*_filled(msgspec.to_builtins(item.before), values)]
    asked: dict[str, Any] = {"prompt": question}
    if turns:
        asked = {"messages": [*turns, {"role": "user", "content": question}]}
    document = {
        "prompt_id": prompt_id,
        **asked,
        "request": item.request,
        "max_tokens": item.max_tokens,
        "category": item.category,
        "bucket": item.bucket,
        "split": split,
        "checks": _filled(list(item.checks), values),
        "reference": _text(item.answer, values),
        "candidate": _text(item.candidate, values),
        "expected": item.expected,
        "expect": item.expect,
        "tags": [f"domain:{domain}", f"item:{item.id}", *item.tags],
    }
    return msgspec.convert(document, Row)


def _values(item: Item, dice: Dice) -> dict[str, Any]:
    for _ in range(_TRIES):
        values = {name: _drawn(draw, dice) for name, draw in item.draw.items()}
        for name, lines in item.lines.items():
            values[name] = _block(lines, values, dice)
        for name, formula in item.compute.items():
            values[name] = evaluate(formula, values)
        if all(evaluate(condition, values) for condition in item.where):
            return values
    raise ValueError(f"`where` did not hold in {_TRIES} draws")


def _drawn(draw: Draw, dice: Dice) -> Any:  # noqa: ANN401  (whatever the file lists)
    if draw.of is not None:
        return dice.one(draw.of) if draw.some is None else dice.shuffled(draw.of)[: draw.some]
    assert draw.first is not None and draw.last is not None  # noqa: PT018, S101  (checked there)
    return draw.first + draw.step * dice.below((draw.last - draw.first) // draw.step + 1)


def _block(lines: Lines, around: Mapping[str, Any], dice: Dice) -> _Block:
    rows: list[dict[str, Any]] = []
    texts: list[str] = []
    for number in range(1, lines.count + 1):
        row = _line(lines, {**around, "number": number}, rows, dice)
        rows.append(row)
        texts.append(_filled(lines.text, row))
    return _Block(rows, texts)


def _line(
    lines: Lines, around: dict[str, Any], before: list[dict[str, Any]], dice: Dice
) -> dict[str, Any]:
    for _ in range(_TRIES):
        row = around | {name: _drawn(draw, dice) for name, draw in lines.draw.items()}
        for name, formula in lines.compute.items():
            row[name] = evaluate(formula, row)
        if not any(row[name] == other[name] for name in lines.distinct for other in before):
            return row
    raise ValueError(f"{', '.join(lines.distinct)}: not enough different values for {lines.count}")


def _filled(part: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401  (any JSON-like part)
    if not values:  # an item in which nothing is drawn is taken as it is, braces too
        return part
    if isinstance(part, str):
        whole = _PLACE.fullmatch(part)
        if whole and not whole[3] and whole[1] != _KEPT:
            found = _at(whole, values)
            return str(found) if isinstance(found, _Block) else found
        return _PLACE.sub(lambda place: _shown(place, values), part)
    if isinstance(part, list | tuple):
        return [_filled(one, values) for one in part]
    if isinstance(part, dict):
        return {key: _filled(value, values) for key, value in part.items()}
    return part


def _text(part: str | None, values: Mapping[str, Any]) -> str | None:
    return None if part is None else str(_filled(part, values)).strip()


def _shown(place: re.Match[str], values: Mapping[str, Any]) -> str:
    return place[0] if place[1] == _KEPT else format(_at(place, values), place[3] or "")


def _at(place: re.Match[str], values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if place[1] not in values:
        raise ValueError(f"{place[0]}: there is no value {place[1]!r}")
    return evaluate(place[1] + place[2], values)
