"""The kinds of check. One more is one more class here, and its name in `Check`."""

import math
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Final, get_args

import jsonschema
import msgspec

from harness.checks.patterns import LONGEST, bounded
from harness.checks.text import Answer, bare, normalised, term

Terms = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...],
    msgspec.Meta(min_length=1, max_length=50),
]
_UNSAFE: Final = frozenset({"pattern", "patternProperties", "$ref", "$dynamicRef", "uniqueItems"})
_SHOWN: Final = 80


class _Check(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    dict=True,
):
    def failure(self, answer: Answer) -> str:
        """Why the answer doesn't pass; empty where it does."""
        raise NotImplementedError

    def faults(self) -> Iterator[str]:
        """What makes this check one that nothing passes, or that anything passes."""
        yield from ()


class _Contains(_Check, frozen=True, kw_only=True):
    values: Terms
    """Whole words, compared in normalised form; `harness.checks.text.term` says what that is."""
    max_words: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The answer may have no more, so that quoting a whole passage is no answer."""

    def __post_init__(self) -> None:
        _need_something(self.values)

    def _too_long(self, answer: Answer) -> str:
        if self.max_words is not None and answer.words > self.max_words:
            return f"has {answer.words} words, at most {self.max_words} are allowed"
        return ""

    def _has(self, answer: Answer, value: str) -> bool:
        return term(value).search(answer.text) is not None

    def faults(self) -> Iterator[str]:
        longest = max(len(value.split()) for value in self.values)
        if self.max_words is not None and longest > self.max_words:
            yield f"max_words is {self.max_words}, and a value has {longest} words"
        doubled = {normalised(value) for value in self.values}
        if len(doubled) < len(self.values):
            yield "two of the values are the same"
        for value in self.values:
            if len(normalised(value)) == 1 and not value.isalnum():
                yield f"{value!r} is in almost any answer"


class ContainsAny(_Contains, frozen=True, kw_only=True, tag="contains_any"):
    """One of the values is in the answer."""

    def failure(self, answer: Answer) -> str:
        if any(self._has(answer, value) for value in self.values):
            return self._too_long(answer)
        return f"contains none of {_listed(self.values)}"


class ContainsAll(_Contains, frozen=True, kw_only=True, tag="contains_all"):
    """Every one of the values is in the answer."""

    def failure(self, answer: Answer) -> str:
        missing = [value for value in self.values if not self._has(answer, value)]
        return f"lacks {_listed(missing)}" if missing else self._too_long(answer)


class Exact(_Check, frozen=True, kw_only=True, tag="exact"):
    """The answer is one of the values and nothing else.

    Case, white space, and punctuation, quotes or emphasis around it don't count.
    """

    values: Terms

    def __post_init__(self) -> None:
        _need_something(self.values)

    @cached_property
    def _bare(self) -> frozenset[str]:
        return frozenset(bare(value) or normalised(value) for value in self.values)

    def failure(self, answer: Answer) -> str:
        if (answer.bare or answer.text) in self._bare:
            return ""
        return f"is not {_listed(self.values)}"

    def faults(self) -> Iterator[str]:
        if len(self._bare) < len(self.values):
            yield "two of the values are the same"


class Regex(_Check, frozen=True, kw_only=True, tag="regex"):
    """The pattern is found in the answer as it is, case ignored.

    Only its first 2,000 characters are looked at, and a pattern that could take long on them is
    refused when it is read (`harness.checks.patterns`).
    """

    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]

    def __post_init__(self) -> None:
        bounded(self.pattern)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return bounded(self.pattern)

    def failure(self, answer: Answer) -> str:
        if self._compiled.search(answer.raw[:LONGEST].strip()):
            return ""
        return f"doesn't match {self.pattern!r}"

    def faults(self) -> Iterator[str]:
        if self._compiled.search(""):
            yield f"{self.pattern!r} matches an empty answer, and so any"


class Numeric(_Check, frozen=True, kw_only=True, tag="numeric"):
    """The answer's last number is `value`, give or take `tolerance`."""

    value: float
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.tolerance)):
            raise ValueError("numeric: value and tolerance must be finite")

    def failure(self, answer: Answer) -> str:
        number = answer.number
        if number is None:
            return f"has no number, expected {self.value:g}"
        if abs(number - self.value) <= self.tolerance + 1e-9 * abs(self.value):
            return ""
        return f"its last number is {number:g}, expected {self.value:g} ± {self.tolerance:g}"

    def faults(self) -> Iterator[str]:
        if self.tolerance > max(abs(self.value) / 4, 0.5):
            yield f"a tolerance of {self.tolerance:g} on {self.value:g} passes almost anything"


class JsonSchema(_Check, frozen=True, kw_only=True, tag="json_schema"):
    """The whole answer is JSON under the schema; with `equals`, exactly that document.

    A code fence around it is allowed, words are not. 1 and 1.0 are equal, 1 and true are not.
    """

    json_schema: Annotated[dict[str, Any], msgspec.Meta(min_length=1)] = msgspec.field(
        name="schema"
    )
    equals: Any = msgspec.UNSET

    def __post_init__(self) -> None:
        if used := sorted(_keywords(self.json_schema) & _UNSAFE):
            raise ValueError(
                f"json_schema: {', '.join(used)} can't be used: an answer could make it hang"
            )
        try:
            jsonschema.Draft202012Validator.check_schema(self.json_schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"json_schema: no schema: {error.message}") from None

    @cached_property
    def _validator(self) -> jsonschema.Draft202012Validator:
        exactly = {} if self.equals is msgspec.UNSET else {"const": self.equals}
        return jsonschema.Draft202012Validator({"allOf": [self.json_schema, exactly]})

    def failure(self, answer: Answer) -> str:
        try:
            document = answer.document
        except ValueError as error:
            return f"is no JSON: {error}"
        for fault in self._validator.iter_errors(document):
            return f"at {fault.json_path}: {_shown(fault.message)}"
        return ""

    def faults(self) -> Iterator[str]:
        if self.equals is not msgspec.UNSET:
            for error in self._validator.iter_errors(self.equals):
                yield f"its own `equals` doesn't meet the schema: {_shown(error.message)}"
        elif not {"type", "const", "enum", "required"} & self.json_schema.keys():
            yield "the schema asks for nothing: name a type, required, enum or const"


Check = ContainsAny | ContainsAll | Exact | Regex | Numeric | JsonSchema
KINDS: Final[dict[str, type[Check]]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(Check)
}


def _need_something(values: tuple[str, ...]) -> None:
    if empty := [value for value in values if not normalised(value)]:
        raise ValueError(f"values: {empty[0]!r} is empty, it would be in any answer")


def _keywords(schema: object) -> set[str]:
    """The keys of strings and objects anywhere in a schema; a property may have any name."""
    if isinstance(schema, dict):
        below = set[str]().union(*map(_keywords, schema.values()))
        named = {key for key, value in schema.items() if key != "pattern" or isinstance(value, str)}
        return below | named
    if isinstance(schema, list):
        return set[str]().union(*map(_keywords, schema))
    return set()


def _listed(values: tuple[str, ...] | list[str]) -> str:
    return _shown(", ".join(map(repr, values)))


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
