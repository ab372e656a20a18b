"""A TOML table that is read key by key, so that what is left over is unknown."""

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.errors import ConfigError

_REQUIRED: Final = object()
_NUMBER: Final = (int, float)
_KINDS: Final[Mapping[object, str]] = {
    dict: "a table",
    list: "a list",
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    _NUMBER: "a number",
}


class StrictTable:
    def __init__(self, source: str, key: str, value: object) -> None:
        self.source = source
        self.key = key
        if not isinstance(value, dict):
            raise ConfigError(source, key, "must be a table")
        self._left = dict(value)

    def take(
        self,
        key: str,
        kind: type | tuple[type, ...],
        default: Any = _REQUIRED,  # noqa: ANN401  (TOML's)
    ) -> Any:  # noqa: ANN401
        if key not in self._left:
            if default is _REQUIRED:
                raise self.error(key, "is missing")
            return default
        value = self._left.pop(key)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise self.error(key, f"must be {_KINDS[kind]}, is {value!r}")
        return value

    def number(
        self,
        key: str,
        *,
        above: float,
        most: float,
        most_is: str = "the most allowed",
        default: float | None = None,
        whole: bool = False,
    ) -> float:
        kind = int if whole else _NUMBER
        value = self.take(key, kind, _REQUIRED if default is None else default)
        if not above < value:
            raise self.error(key, f"must be above {above}, is {value}")
        if value > most:
            raise self.error(key, f"{value} is above {most:g}, {most_is}")
        return value  # type: ignore[no-any-return]

    def finish(self) -> None:
        if self._left:
            raise self.error(min(self._left), "is not a known key")

    def error(self, key: str, reason: str) -> ConfigError:
        return ConfigError(self.source, f"{self.key}.{key}".lstrip("."), reason)
