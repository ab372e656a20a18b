"""TOML tables become frozen dataclasses, and nothing in them may be missing, extra or misfit.

The dataclass is the schema: its types, its `Literal`s and its `Annotated` bounds say what is
allowed, and a default makes a key optional.
"""

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from gpu_fleet.errors import ConfigError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Between:
    """Bounds of a number, both included."""

    low: float
    high: float


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), "file", f"can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "file", f"is not TOML: {error}") from error


def build(kind: type[T], table: object, source: str, key: str) -> T:
    """The dataclass `kind` from a table; raises ConfigError naming source and key."""
    if not isinstance(table, dict):
        raise ConfigError(source, key or "file", f"must be a table, is {table!r}")
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    for name in table.keys() - fields.keys():
        raise ConfigError(source, _join(key, name), f"unknown key; allowed: {_listed(fields)}")
    for name, field in fields.items():
        if name not in table and _is_required(field):
            raise ConfigError(source, _join(key, name), "is missing")
    values = {
        name: convert(hints[name], value, source, _join(key, name)) for name, value in table.items()
    }
    return kind(**values)


def convert(kind: Any, value: object, source: str, key: str) -> Any:  # noqa: ANN401  (any type)
    if dataclasses.is_dataclass(kind):
        return build(kind, value, source, key)  # type: ignore[arg-type]
    reader = _READERS.get(get_origin(kind), _scalar)
    return reader(kind, value, source, key)


def _annotated(kind: Any, value: object, source: str, key: str) -> Any:  # noqa: ANN401  (any type)
    number = convert(get_args(kind)[0], value, source, key)
    for bound in kind.__metadata__:
        if not bound.low <= number <= bound.high:
            raise ConfigError(source, key, f"is {number}; allowed: {bound.low:g} to {bound.high:g}")
    return number


def _optional(kind: Any, value: object, source: str, key: str) -> Any:  # noqa: ANN401  (any type)
    (present,) = (argument for argument in get_args(kind) if argument is not NoneType)
    return convert(present, value, source, key)


def _literal(kind: Any, value: object, source: str, key: str) -> object:  # noqa: ANN401  (any type)
    if not any(type(value) is type(one) and value == one for one in get_args(kind)):
        raise ConfigError(source, key, f"is {value!r}; allowed: {_listed(get_args(kind))}")
    return value


def _list(kind: Any, value: object, source: str, key: str) -> tuple[object, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        raise ConfigError(source, key, f"must be a list, is {value!r}")
    item = get_args(kind)[0]
    return tuple(convert(item, one, source, f"{key}[{place}]") for place, one in enumerate(value))


def _table(kind: Any, value: object, source: str, key: str) -> Mapping[str, object]:  # noqa: ANN401
    if not isinstance(value, dict):
        raise ConfigError(source, key, f"must be a table, is {value!r}")
    item = get_args(kind)[1]
    return MappingProxyType(
        {name: convert(item, one, source, _join(key, name)) for name, one in value.items()}
    )


def _scalar(kind: type, value: object, source: str, key: str) -> object:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(source, key, f"must be of type {kind.__name__}, is {value!r}")
    return value


_READERS: Mapping[Any, Callable[[Any, object, str, str], Any]] = {
    Annotated: _annotated,
    Union: _optional,
    UnionType: _optional,
    Literal: _literal,
    tuple: _list,
    Mapping: _table,
}


def _is_required(field: "dataclasses.Field[object]") -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _join(key: str, name: str) -> str:
    return f"{key}.{name}".lstrip(".")


def _listed(names: Any) -> str:  # noqa: ANN401  (any iterable of names or literals)
    return ", ".join(str(name) for name in names)
