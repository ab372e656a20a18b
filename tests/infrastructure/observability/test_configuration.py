"""Files of programs that aren't here to check them: what can be held against our own objects."""

import re
from typing import Any

import yaml

from cdk.kubernetes.observability import collector, loki, tempo
from cdk.kubernetes.observability.settings import CONFIG, NAMESPACES
from tests.support.observability import SETTINGS, of_kind


def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((CONFIG / name).read_text("utf-8"))
    return read


def _deployed(name: str) -> str:
    [data] = [one["data"] for one in of_kind("ConfigMap") if one["metadata"]["name"] == name]
    [text] = data.values()
    assert isinstance(text, str)
    return text


def test_every_pipeline_names_what_is_defined_and_guards_its_memory_first() -> None:
    config = _read("otel-collector.yaml")
    for pipeline in config["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= set(config[part])
        assert pipeline["processors"][0] == "memory_limiter"
        assert pipeline["processors"][-1] == "batch"
    assert set(config["service"]["extensions"]) == set(config["extensions"])


def test_no_prompt_passes_the_collector() -> None:
    actions = _read("otel-collector.yaml")["processors"]["attributes/no-content"]["actions"]
    assert {one["action"] for one in actions} == {"delete"}
    patterns = [re.compile(one["pattern"]) for one in actions]
    for name in ("gen_ai.prompt.0.content", "gen_ai.output.messages", "llm.prompts.completion"):
        assert any(pattern.match(name) for pattern in patterns), name
    for name in ("gen_ai.usage.input_tokens", "gen_ai.request.model", "lab.team"):
        assert not any(pattern.match(name) for pattern in patterns), name


def test_programs_listen_where_their_pods_say() -> None:
    config = _read("otel-collector.yaml")
    protocols = config["receivers"]["otlp"]["protocols"]
    assert protocols["http"]["endpoint"] == f"0.0.0.0:{collector.OTLP_HTTP}"
    assert protocols["grpc"]["endpoint"] == f"0.0.0.0:{collector.OTLP_GRPC}"
    assert config["extensions"]["health_check"]["endpoint"] == f"0.0.0.0:{collector.HEALTH}"
    [reader] = config["service"]["telemetry"]["metrics"]["readers"]
    assert reader["pull"]["exporter"]["prometheus"]["port"] == collector.METRICS
    assert _read("loki.yaml")["server"]["http_listen_port"] == loki.PORT
    assert _read("tempo.yaml")["server"]["http_listen_port"] == tempo.PORT


def test_stores_write_to_their_volume_only_and_forget() -> None:
    mounted = {
        one["metadata"]["name"]: [
            mount["mountPath"]
            for mount in one["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
            if mount["name"] == "data"
        ]
        for one in of_kind("StatefulSet")
    }
    for name in ("loki", "tempo"):
        [path] = mounted[name]
        folders = re.findall(r"(?<![\w:/.])/[\w/]+", (CONFIG / f"{name}.yaml").read_text("utf-8"))
        assert folders
        assert all(folder.startswith(path) for folder in folders), folders
    assert _read("loki.yaml")["compactor"]["retention_enabled"] is True
    kept = {
        _read("loki.yaml")["limits_config"]["retention_period"],
        _read("tempo.yaml")["compactor"]["compaction"]["block_retention"],
    }
    assert kept == {"336h"}


def test_prometheus_keeps_fifteen_days() -> None:
    [prometheus] = [
        one for one in of_kind("StatefulSet") if one["metadata"]["name"] == "prometheus"
    ]
    [container] = prometheus["spec"]["template"]["spec"]["containers"]
    assert "--storage.tsdb.retention.time=15d" in container["args"]


def test_alerts_go_to_the_stages_topic() -> None:
    config = yaml.safe_load(_deployed("alertmanager"))
    [receiver] = config["receivers"]
    [sns] = receiver["sns_configs"]
    assert sns["topic_arn"] == SETTINGS.topic_arn
    assert sns["sigv4"] == {"region": SETTINGS.region}
    assert config["route"]["receiver"] == receiver["name"]


def test_logs_are_read_in_the_platforms_namespaces_and_keys_are_not_kept() -> None:
    text = _deployed("alloy")
    names = ", ".join(f'"{name}"' for name in NAMESPACES)
    assert f"namespaces {{ names = [{names}] }}" in text
    [expression] = re.findall(r'expression = "(.+)"', text)
    key = "llmo_abc123_" + "s" * 43
    found = re.search(expression, f"refused {key}")
    assert found
    assert found.group(1) == "s" * 43
