"""The stage, as environment variables say it. Nothing is read at import."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from chalicelib.errors import ConfigError

_URL: Final = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/[\w.~/-]*)?")
_SECRET: Final = re.compile(r"[\w/+=.@:-]{1,512}")
"""As Secrets Manager allows a name, or an ARN."""


class Settings(NamedTuple):
    """The stage, as environment variables say it."""

    stage: str = "local"
    config_file: Path = Path(__file__).with_name("gateway.toml")
    keys_table: str = "llmo-keys"
    routing_table: str = "llmo-routing"
    audit_table: str = "llmo-audit"
    pepper_secret: str = "llmo/key-pepper"  # noqa: S105  (the secret's name)
    engine_urls: Mapping[str, str] = MappingProxyType({})
    engine_key_secrets: Mapping[str, str] = MappingProxyType({})
    """Names of secrets by engine; one without asks for no key."""
    backends: frozenset[str] | None = None
    """Those the stage has, targets of others being left out; None: all."""
    sagemaker_prefix: str = ""
    integration_timeout_s: float = 60
    max_body_bytes: int = 1_048_576
    max_tokens: int = 4096
    otlp_endpoint: str | None = None
    otlp_headers: Mapping[str, str] = MappingProxyType({})
    service_name: str = "gateway"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; what is not set keeps its default.

        Raises:
            ConfigError: a variable does not parse.
        """
        readers: Mapping[str, tuple[str, Callable[[str], Any]]] = {
            "stage": ("STAGE", str),
            "config_file": ("GATEWAY_CONFIG", Path),
            "keys_table": ("KEYS_TABLE", str),
            "routing_table": ("ROUTING_TABLE", str),
            "audit_table": ("AUDIT_TABLE", str),
            "pepper_secret": ("PEPPER_SECRET", str),
            "engine_urls": ("ENGINE_URLS", _engine_urls),
            "engine_key_secrets": ("ENGINE_KEY_SECRETS", _engine_key_secrets),
            "backends": ("BACKENDS", _backends),
            "sagemaker_prefix": ("SAGEMAKER_ENDPOINT_PREFIX", str),
            "integration_timeout_s": ("INTEGRATION_TIMEOUT_S", _positive_float),
            "max_body_bytes": ("MAX_BODY_BYTES", _positive_int),
            "max_tokens": ("MAX_TOKENS", _positive_int),
            "otlp_endpoint": ("OTEL_EXPORTER_OTLP_ENDPOINT", str),
            "otlp_headers": ("OTEL_EXPORTER_OTLP_HEADERS", _headers),
            "service_name": ("OTEL_SERVICE_NAME", str),
        }
        values: dict[str, Any] = {}
        for name, (variable, read) in readers.items():
            if raw := env.get(variable):
                try:
                    values[name] = read(raw)
                except ValueError as error:
                    raise ConfigError("environment", variable, str(error)) from None
        return cls(**values)


def _positive_float(raw: str) -> float:
    value = float(raw)
    if not value > 0:
        raise ValueError(f"must be above 0, is {raw}")
    return value


def _positive_int(raw: str) -> int:
    value = int(raw)
    if value <= 0:
        raise ValueError(f"must be above 0, is {raw}")
    return value


def _engine_urls(raw: str) -> dict[str, str]:
    return _by_engine(raw, _URL, "http(s)://host[:port]")


def _engine_key_secrets(raw: str) -> dict[str, str]:
    return _by_engine(raw, _SECRET, "name of a secret")


def _by_engine(raw: str, allowed: re.Pattern[str], what: str) -> dict[str, str]:
    values = json.loads(raw)
    if not isinstance(values, dict) or not all(
        isinstance(value, str) and allowed.fullmatch(value) for value in values.values()
    ):
        raise ValueError(f'must be a JSON object {{"engine": "{what}"}}')
    return values


def _backends(raw: str) -> frozenset[str]:
    return frozenset(name.strip() for name in raw.split(","))


def _headers(raw: str) -> dict[str, str]:
    """`name=value,name=value`, as OpenTelemetry's exporters read it."""
    pairs = [pair.partition("=") for pair in raw.split(",")]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise ValueError("must be name=value[,name=value ...]")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
