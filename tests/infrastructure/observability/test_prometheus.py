"""Prometheus' configuration and rules, checked by Prometheus' own tool."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk.kubernetes.observability.collector import METRICS
from cdk.kubernetes.observability.components import components
from cdk.kubernetes.observability.settings import CONFIG
from gpu_fleet.engines import load_fleet
from tests.support.observability import SETTINGS, pods
from tests.support.promtool import knows_kubernetes, promtool, without_kubernetes

HERE = Path(__file__).parent
RULES = sorted((CONFIG / "rules").glob("*.yml"))
CONFIG_FILE = CONFIG / "prometheus.yml"


def _config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(CONFIG_FILE.read_text("utf-8"))
    return config


def _alerts() -> dict[str, dict[str, Any]]:
    return {
        rule["alert"]: rule
        for path in RULES
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    checked = CONFIG_FILE
    if not knows_kubernetes(tmp_path):
        checked = tmp_path / "prometheus.yml"
        checked.write_text(yaml.safe_dump(without_kubernetes(_config())), "utf-8")
    done = promtool("check", "config", "--syntax-only", checked)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelt_key_is_found(tmp_path: Path) -> None:
    config = without_kubernetes(_config())
    config["scrape_configs"][1]["metric_relabel_config"] = []
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    assert promtool("check", "config", "--syntax-only", path).returncode != 0


def test_discovery_asks_kubernetes_for_what_there_is() -> None:
    """Where promtool can't check it: roles, and namespaces that are watched, and nothing else."""
    for job in _config()["scrape_configs"]:
        for discovery in job.get("kubernetes_sd_configs", []):
            if discovery["role"] == "node":
                assert set(discovery) == {"role"}
            else:
                assert set(discovery) == {"role", "namespaces"}
                assert discovery["role"] == "pod"
                assert set(discovery["namespaces"]) == {"names"}
                assert set(discovery["namespaces"]["names"]) <= {
                    "llm-baseline",
                    "observability",
                    "gpu-metrics",
                }


def test_rules_are_valid() -> None:
    done = promtool("check", "rules", "--lint-fatal", *RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_do_what_they_say(tmp_path: Path) -> None:
    """Annotations would have to be repeated word by word; the summaries stand for them."""
    for path in RULES:
        rules = yaml.safe_load(path.read_text("utf-8"))
        for rule in (one for group in rules["groups"] for one in group["rules"]):
            if "annotations" in rule:
                rule["annotations"] = {"summary": rule["annotations"]["summary"]}
        (tmp_path / path.name).write_text(yaml.safe_dump(rules, allow_unicode=True), "utf-8")
    tests = shutil.copy(HERE / "rules_test.yml", tmp_path)
    done = promtool("test", "rules", tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried_with_and_without_cause() -> None:
    tests = yaml.safe_load((HERE / "rules_test.yml").read_text("utf-8"))["tests"]
    tried = [one for test in tests for one in test.get("alert_rule_test", [])]
    fires = {one["alertname"] for one in tried if one.get("exp_alerts")}
    silent = {one["alertname"] for one in tried if not one.get("exp_alerts")}
    assert fires == set(_alerts())
    assert silent == set(_alerts())


@pytest.mark.parametrize("name", _alerts())
def test_an_alert_says_what_to_do(name: str) -> None:
    alert = _alerts()[name]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook"}
    assert len(alert["annotations"]["runbook"]) > 40


def test_an_engine_counts_as_down_only_after_its_slowest_start() -> None:
    slowest = max(engine.startup_budget_s for engine in load_fleet().engines.values())
    assert int(_alerts()["EngineDown"]["for"].removesuffix("m")) * 60 > slowest


def test_every_pod_that_serves_metrics_is_scraped_by_exactly_one_job() -> None:
    targets = {
        (name, port)
        for name, port in (
            ("otel-collector", METRICS),
            ("kube-state-metrics", 8080),
            ("dcgm-exporter", 9400),
            ("alertmanager", 9093),
            ("alloy", 12345),
            ("grafana", 3000),
            ("loki", 3100),
            ("tempo", 3200),
        )
    }
    everywhere = [one for group in components(SETTINGS).values() for one in group]
    served = {
        (pod["labels"]["app.kubernetes.io/name"], port["containerPort"])
        for pod in pods(everywhere)
        for container in pod["spec"]["containers"]
        for port in container["ports"]
    }
    assert targets <= served
    for name, port in served:
        jobs = [job for job in _config()["scrape_configs"] if _picks(job, name, port)]
        assert len(jobs) == ((name, port) in targets), (
            name,
            port,
            [job["job_name"] for job in jobs],
        )


def _picks(job: dict[str, Any], name: str, port: int) -> bool:
    both = [
        "__meta_kubernetes_pod_label_app_kubernetes_io_name",
        "__meta_kubernetes_pod_container_port_number",
    ]
    return any(
        rule.get("source_labels") == both and re.fullmatch(rule["regex"], f"{name};{port}")
        for rule in job.get("relabel_configs", [])
    )
