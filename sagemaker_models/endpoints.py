"""`endpoints.toml`, read strictly."""

import math
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

ENDPOINTS_TOML: Final = Path(__file__).with_name("endpoints.toml")
NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # SageMaker's pattern
INSTANCE_TYPE: Final = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")


class EndpointsError(Exception):
    """The file is wrong; one line with file, key and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class ProductionVariant:
    engine: str
    weight: float
    initial_instance_count: int
    instance_type: str
    local_instance_type: str
    max_instance_count: int = 1


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    team: str
    variants: Mapping[str, ProductionVariant]
    inference_components: tuple[str, ...] = ()


def load_endpoints(
    path: Path = ENDPOINTS_TOML, *, engines: Collection[str] | None = None
) -> Mapping[str, Endpoint]:
    """Endpoints by name; raises EndpointsError. With `engines`, each engine must be among them."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        _exactly(document, {"endpoints": dict}, "")
        return MappingProxyType(
            {
                name: _endpoint(table, engines, f"endpoints.{_named(name, 'endpoints')}")
                for name, table in document["endpoints"].items()
            }
        )
    except OSError as error:
        raise EndpointsError(f"{path}: can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, _Wrong) as error:
        raise EndpointsError(f"{path}: {error}") from error


class _Wrong(Exception):  # noqa: N818  (never leaves this module)
    pass


def _endpoint(table: Any, engines: Collection[str] | None, key: str) -> Endpoint:  # noqa: ANN401
    table = {"inference_components": [], **table} if isinstance(table, dict) else table
    _exactly(table, {"team": str, "inference_components": list, "variants": dict}, key)
    components = tuple(
        _named(name, f"{key}.inference_components") for name in table["inference_components"]
    )
    if not table["variants"]:
        raise _Wrong(f"{key}.variants: must declare at least one production variant")
    variants = {
        name: _variant(one, engines, f"{key}.variants.{_named(name, key)}")
        for name, one in table["variants"].items()
    }
    if not sum(variant.weight for variant in variants.values()):
        raise _Wrong(f"{key}.variants: all weights are 0, so no request could be answered")
    return Endpoint(
        team=table["team"], variants=MappingProxyType(variants), inference_components=components
    )


def _variant(
    table: Any,  # noqa: ANN401  (TOML)
    engines: Collection[str] | None,
    key: str,
) -> ProductionVariant:
    if isinstance(table, dict) and "initial_instance_count" in table:
        table = {"max_instance_count": table["initial_instance_count"], **table}
    _exactly(table, {field.name: field.type for field in fields(ProductionVariant)}, key)
    variant = ProductionVariant(**table)
    if not 0 <= variant.weight < math.inf:  # TOML has nan and inf
        raise _Wrong(f"{key}.weight: is {variant.weight}; allowed: 0 and above")
    if variant.initial_instance_count < 1:
        raise _Wrong(f"{key}.initial_instance_count: must be at least 1")
    if variant.max_instance_count < variant.initial_instance_count:
        raise _Wrong(f"{key}.max_instance_count: is below initial_instance_count")
    for name in ("instance_type", "local_instance_type"):
        if not INSTANCE_TYPE.fullmatch(table[name]):
            raise _Wrong(f"{key}.{name}: is {table[name]!r}; must look like ml.g5.xlarge")
    if engines is not None and variant.engine not in engines:
        known = ", ".join(sorted(engines))
        raise _Wrong(f"{key}.engine: there is no engine {variant.engine!r}; there are: {known}")
    return variant


def _exactly(table: object, kinds: Mapping[str, Any], key: str) -> None:
    if not isinstance(table, dict):
        raise _Wrong(f"{key}: must be a table, is {table!r}")
    for name in table.keys() - kinds.keys():
        raise _Wrong(f"{_join(key, name)}: unknown key; allowed: {', '.join(kinds)}")
    for name, kind in kinds.items():
        if name not in table:
            raise _Wrong(f"{_join(key, name)}: is missing")
        if type(table[name]) is not kind and not (kind is float and type(table[name]) is int):
            raise _Wrong(f"{_join(key, name)}: must be of type {kind.__name__}, is {table[name]!r}")


def _named(name: object, key: str) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _Wrong(
            f"{key}: {name!r} is no SageMaker name: letters, digits and hyphens, 63 at most"
        )
    return name


def _join(key: str, name: str) -> str:
    return f"{key}.{name}".lstrip(".")
