"""Is a request what it should be? Rules are data; the first broken one is told, with its field.

A rule is a function that says what is wrong with a value, or nothing.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from chalicelib.errors import GatewayError

Rule = Callable[[Any], str | None]
Fields = Mapping[str, Rule]

TEXT_MAX: Final = 10_000_000
"""No bound of its own: the body's limit is the smaller one."""


def invalid(param: str, problem: str) -> GatewayError:
    return GatewayError("invalid_request", f"{param!r} {problem}.", param=param)


def parse_object(body: bytes, *, max_bytes: int) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        GatewayError: `too_large`, `invalid_json` or, where it is no object, `invalid_request`.
    """
    if len(body) > max_bytes:
        raise GatewayError(
            "too_large", f"The body has {len(body)} bytes; at most {max_bytes} are allowed."
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_json(f"it is not UTF-8 (byte {error.start})") from None
    try:
        document = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text:  # an escaped half of a surrogate pair parses, but is no text
            json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _not_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeEncodeError:
        raise _not_json("a \\u escape is half of a surrogate pair") from None
    except RecursionError:
        raise _not_json("it is nested too deeply") from None
    except ValueError as error:
        raise _not_json(str(error)) from None
    if not isinstance(document, dict):
        raise GatewayError("invalid_request", "The body must be a JSON object.")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _not_json(reason: str) -> GatewayError:
    return GatewayError("invalid_json", f"The body is not valid JSON: {reason}.")


def check(document: Mapping[str, Any], fields: Fields, *, refused: Mapping[str, str]) -> None:
    """Every field is known and obeys its rule; null counts as not given.

    Raises:
        GatewayError: `invalid_request`, naming the field and what is allowed.
    """
    for name, value in document.items():
        rule = fields.get(name)
        if rule is None:
            raise invalid(name[:64], refused.get(name, "is not a known field"))
        if value is not None and (problem := rule(value)):
            raise invalid(name, problem)


def required(document: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  (JSON's)
    value = document.get(name)
    if value is None:
        raise invalid(name, "is missing")
    return value


def number(least: float, most: float) -> Rule:
    def rule(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        # Infinity (1e999) is outside by comparison, and so is an int too large for a float.
        return None if least <= value <= most else f"must be from {least:g} to {most:g}"

    return rule


def whole(least: int, most: int) -> Rule:
    def rule(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return "must be a whole number"
        return None if least <= value <= most else f"must be from {least} to {most}"

    return rule


def text(least: int = 0, most: int = TEXT_MAX, *, blank: bool = False) -> Rule:
    """`blank`: white space alone counts as something."""

    def rule(value: object) -> str | None:
        if not isinstance(value, str):
            return "must be a string"
        if len(value) < least or (least and not blank and not value.strip()):
            return "must not be empty"
        return None if len(value) <= most else f"must have at most {most} characters"

    return rule


def boolean(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def json_object(value: object) -> str | None:
    if not isinstance(value, dict):
        return "must be an object"
    try:
        json.dumps(value, allow_nan=False)  # 1e999 would go on as Infinity, which is no JSON
    except (ValueError, RecursionError):
        return "has a number that is too large, or is nested too deeply"
    return None


def one_of(*allowed: str) -> Rule:
    def rule(value: object) -> str | None:
        return None if value in allowed else f"must be one of {', '.join(allowed)}"

    return rule


def list_of(rule: Rule, *, least: int = 0, most: int) -> Rule:
    def whole_list(value: object) -> str | None:
        if not isinstance(value, list):
            return "must be a list"
        if not least <= len(value) <= most:
            return f"must have from {least} to {most} members"
        problems = (rule(member) for member in value)
        return next((f"has a member that {problem}" for problem in problems if problem), None)

    return whole_list


def either(*rules: Rule) -> Rule:
    """The first rule that holds; where none does, all that would be allowed."""

    def rule(value: object) -> str | None:
        problems = [one(value) for one in rules]
        return None if None in problems else " or ".join(str(problem) for problem in problems)

    return rule
