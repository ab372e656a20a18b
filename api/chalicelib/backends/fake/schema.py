"""JSON that satisfies a schema, for requests that ask for structured output."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from chalicelib.backends.fake.chance import chance
from chalicelib.backends.fake.text import words


def json_text(schema: Mapping[str, Any], seed: str) -> str:
    """JSON under `schema`, its values from `seed`; covers what a judge's schema uses."""
    return json.dumps(_value(schema, seed, schema), ensure_ascii=False, separators=(",", ":"))


def _value(schema: Mapping[str, Any], seed: str, root: Mapping[str, Any]) -> object:
    if "$ref" in schema:
        return _value(_resolve(schema["$ref"], root), seed, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][int(chance(seed) * len(schema["enum"]))]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _value(schema[union][0], seed, root)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return _BY_TYPE.get(kind, _string)(schema, seed, root)


def _resolve(ref: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    part: Mapping[str, Any] = root
    for step in ref.removeprefix("#/").split("/"):
        part = part[step]
    return part


def _object(schema: Mapping[str, Any], seed: str, root: Mapping[str, Any]) -> object:
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {name: _value(part, f"{seed}.{name}", root) for name, part in properties.items()}


def _array(schema: Mapping[str, Any], seed: str, root: Mapping[str, Any]) -> object:
    count = schema.get("minItems", 1)
    return [_value(schema.get("items", {}), f"{seed}[{i}]", root) for i in range(count)]


def _number(schema: Mapping[str, Any], seed: str, _root: Mapping[str, Any]) -> object:
    low = schema.get("minimum", 0)
    high = schema.get("maximum", low + 1)
    return round(low + (high - low) * chance(seed), 2)


def _integer(schema: Mapping[str, Any], seed: str, _root: Mapping[str, Any]) -> object:
    low = schema.get("minimum", 0)
    high = schema.get("maximum", low + 10)
    return low + int((high - low + 1) * chance(seed))


def _boolean(_schema: Mapping[str, Any], seed: str, _root: Mapping[str, Any]) -> object:
    return chance(seed) < 0.5  # noqa: PLR2004  (a coin)


def _string(schema: Mapping[str, Any], seed: str, _root: Mapping[str, Any]) -> object:
    return words(seed, 0)[: schema.get("maxLength", 80)]


def _null(_schema: Mapping[str, Any], _seed: str, _root: Mapping[str, Any]) -> object:
    return None


_BY_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any], str, Mapping[str, Any]], object]]] = {
    "object": _object,
    "array": _array,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
    "null": _null,
}
