"""The stage, as environment variables say it."""

from pathlib import Path

import pytest

from chalicelib.errors import ConfigError
from chalicelib.settings import Settings


def test_an_empty_environment_is_the_local_stage() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert settings.stage == "local"
    assert settings.config_file.is_file()
    assert settings.engine_urls == {}


def test_every_variable_is_read() -> None:
    settings = Settings.from_env(
        {
            "STAGE": "prod",
            "GATEWAY_CONFIG": "/etc/gateway.toml",
            "KEYS_TABLE": "k",
            "ROUTING_TABLE": "r",
            "AUDIT_TABLE": "a",
            "PEPPER_SECRET": "p",
            "ENGINE_URLS": '{"one": "http://one:8000", "two": "https://two"}',
            "ENGINE_KEY_SECRETS": '{"one": "llmo/prod/engine-key/one"}',
            "SAGEMAKER_ENDPOINT_PREFIX": "llmo-prod-",
            "BACKENDS": "vllm",
            "INTEGRATION_TIMEOUT_S": "29",
            "MAX_BODY_BYTES": "1000",
            "MAX_TOKENS": "512",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        }
    )
    assert (settings.stage, settings.config_file) == ("prod", Path("/etc/gateway.toml"))
    assert (settings.keys_table, settings.routing_table, settings.audit_table) == ("k", "r", "a")
    assert settings.pepper_secret == "p"
    assert settings.engine_key_secrets == {"one": "llmo/prod/engine-key/one"}
    assert settings.backends == frozenset({"vllm"})
    assert settings.engine_urls == {"one": "http://one:8000", "two": "https://two"}
    assert settings.sagemaker_prefix == "llmo-prod-"
    assert (settings.integration_timeout_s, settings.max_body_bytes) == (29, 1000)
    assert (settings.max_tokens, settings.otlp_endpoint) == (512, "http://collector:4318")


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.from_env({"KEYS_TABLE": "", "ENGINE_URLS": ""}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ENGINE_URLS", "not json"),
        ("ENGINE_URLS", "[]"),
        ("ENGINE_URLS", '{"one": 1}'),
        ("ENGINE_URLS", '{"one": "ftp://one"}'),
        ("ENGINE_URLS", '{"one": "one:8000"}'),
        ("ENGINE_URLS", '{"one": "http://"}'),
        ("ENGINE_URLS", '{"one": "http://[::1"}'),
        ("ENGINE_URLS", '{"one": "http://o ne"}'),
        ("ENGINE_URLS", '{"one": "http://one:port"}'),
        ("ENGINE_URLS", '{"one": "http://user:password@one"}'),
        ("ENGINE_URLS", '{"one": "http://one?x=1"}'),
        ("ENGINE_KEY_SECRETS", "llmo/engine-key"),
        ("ENGINE_KEY_SECRETS", '["llmo/engine-key"]'),
        ("ENGINE_KEY_SECRETS", '{"one": null}'),
        ("ENGINE_KEY_SECRETS", '{"one": ""}'),
        ("ENGINE_KEY_SECRETS", '{"one": "a name"}'),
        ("INTEGRATION_TIMEOUT_S", "soon"),
        ("INTEGRATION_TIMEOUT_S", "0"),
        ("INTEGRATION_TIMEOUT_S", "-1"),
        ("INTEGRATION_TIMEOUT_S", "nan"),
        ("MAX_BODY_BYTES", "1.5"),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_TOKENS", "-5"),
    ],
)
def test_a_variable_that_does_not_parse_is_named(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"environment: {variable}: "):
        Settings.from_env({variable: value})
