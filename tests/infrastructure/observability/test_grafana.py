"""Dashboards ask data sources that exist for metrics that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk.kubernetes.observability.grafana import ENVIRONMENT, SECRETS
from cdk.kubernetes.observability.settings import CONFIG, DASHBOARDS
from tests.support.observability import SETTINGS, of_kind

FILES = sorted(DASHBOARDS.glob("*.json"))
# What others' metrics are called: vLLM 0.32 and Prometheus itself; the exporter's are in its file.
KNOWN = {"up", "ALERTS", "http_requests_total"}
VLLM = {
    "vllm:num_requests_waiting",
    "vllm:num_requests_running",
    "vllm:kv_cache_usage_perc",
    "vllm:request_success_total",
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:time_to_first_token_seconds_bucket",
    "vllm:e2e_request_latency_seconds_bucket",
}
_WORDS = {"sum", "by", "rate", "max", "min", "histogram_quantile", "engine", "le", "node", "gpu"}

dashboards = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def _sources() -> dict[str, str]:
    text = (CONFIG / "grafana/datasources.yaml").read_text("utf-8")
    return {one["uid"]: one["type"] for one in yaml.safe_load(text)["datasources"]}


def _named(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Every `datasource` of a dashboard, however deep."""
    if isinstance(value, dict):
        own = [value["datasource"]] if "datasource" in value else []
        return own + [found for one in value.values() for found in _named(one)]
    return [found for one in value for found in _named(one)] if isinstance(value, list) else []


def _recorded() -> set[str]:
    rules = yaml.safe_load((CONFIG / "rules/recording.yml").read_text("utf-8"))
    return {rule["record"] for group in rules["groups"] for rule in group["rules"]}


def _counters() -> set[str]:
    lines = (CONFIG / "gpu-counters.csv").read_text("utf-8").splitlines()
    return {line.split(",")[0] for line in lines if not line.startswith("#")}


def _metrics(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\$\w+", " ", expression)
    return {word for word in re.findall(r"[A-Za-z_][\w:]*", bare) if word not in _WORDS}


@dashboards
def test_its_data_sources_exist(path: Path) -> None:
    named = _named(json.loads(path.read_text("utf-8")))
    assert named
    for one in named:
        assert _sources()[one["uid"]] == one["type"]


@dashboards
def test_its_metrics_exist(path: Path) -> None:
    for panel in json.loads(path.read_text("utf-8"))["panels"]:
        if panel["datasource"]["type"] != "prometheus":
            continue
        for target in panel["targets"]:
            asked = _metrics(target["expr"])
            assert asked
            assert asked <= _recorded() | _counters() | VLLM | KNOWN, target["expr"]


@dashboards
def test_grafana_takes_it_as_it_is(path: Path) -> None:
    dashboard = json.loads(path.read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert re.fullmatch(r"[a-z0-9-]{1,40}", dashboard["uid"])
    assert "id" not in dashboard


def test_rules_ask_the_exporter_for_what_it_collects() -> None:
    text = "".join(path.read_text("utf-8") for path in (CONFIG / "rules").glob("*.yml"))
    assert set(re.findall(r"DCGM_\w+", text)) <= _counters()
    assert {one for one in re.findall(r"vllm:\w+", text) if "preemptions" not in one} <= VLLM


def test_each_dashboard_is_a_map_of_its_own_and_small_enough() -> None:
    maps = {
        one["metadata"]["name"]: one["data"]
        for one in of_kind("ConfigMap")
        if one["metadata"]["name"].startswith("grafana-dashboard-")
    }
    assert [f"grafana-dashboard-{path.stem}" for path in FILES] == list(maps)
    assert all(len(str(data)) < 1_000_000 for data in maps.values())


def test_nobody_gets_in_without_the_password_of_secrets_manager() -> None:
    assert ENVIRONMENT["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert ENVIRONMENT["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert ENVIRONMENT["GF_SECURITY_ADMIN_PASSWORD__FILE"] == f"{SECRETS}/admin-password"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in ENVIRONMENT
    [provider] = of_kind("SecretProviderClass")
    assert provider["spec"]["parameters"]["usePodIdentity"] == "true"
    [wanted] = yaml.safe_load(provider["spec"]["parameters"]["objects"])
    assert wanted["objectName"] == SETTINGS.grafana_secret_arn
    assert wanted["objectAlias"] == "admin-password"
