"""An engine's pod: what it runs, where, and how it comes and goes."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pytest

from gpu_fleet.engines import load_fleet
from gpu_fleet.manifests import adapter_prefixes, engine_objects, example
from gpu_fleet.serving import in_container, on_this_machine, vllm_arguments

FLEET: Final = load_fleet()
EXAMPLE: Final = example(FLEET)
NAMES: Final = tuple(FLEET.engines)
LORA: Final = "mistral-7b-lora"
SPOT_NOTICE_S: Final = 120
DEREGISTRATION_S: Final = 60


def deployment(name: str) -> dict[str, Any]:
    objects = engine_objects(FLEET, name, EXAMPLE)
    (found,) = [one for one in objects if one["kind"] == "Deployment"]
    return found


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = deployment(name)["spec"]["template"]["spec"]
    return spec


def server(name: str) -> dict[str, Any]:
    (container,) = pod(name)["containers"]
    found: dict[str, Any] = container
    return found


def settings(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_runs_what_a_workstation_runs_but_for_place_and_limits(name: str) -> None:
    engine = FLEET.engines[name]
    here = vllm_arguments(name, engine, on_this_machine(engine, models=Path("/m"), port=1))
    differing = {argument.split("=")[0] for argument in set(server(name)["args"]) - set(here)}
    assert differing <= {
        "--model",
        "--host",
        "--port",
        "--max-model-len",
        "--gpu-memory-utilization",
        "--shutdown-timeout",
        "--load-format",
        "--model-loader-extra-config",
        "--chat-template",
        "lora-v1",
        "lora-v2",
    }


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_streamed_from_the_bucket(name: str) -> None:
    engine = FLEET.engines[name]
    arguments = server(name)["args"]
    assert f"--model=s3://{EXAMPLE.bucket}/models/{engine.model}/{engine.revision}" in arguments
    assert "--load-format=runai_streamer" in arguments
    assert settings(server(name))["HF_HUB_OFFLINE"] == "1"


def test_the_buffer_of_the_stream_fits_the_pod() -> None:
    smallest = min(engine.pod.memory_gib for engine in FLEET.engines.values())
    (config,) = [one for one in server(LORA)["args"] if "extra-config" in one]
    assert '"memory_limit": 4294967296' in config
    assert smallest > 2 * 4


def test_without_a_copy_the_model_comes_from_the_hub() -> None:
    engine = FLEET.engines[LORA]
    placement = in_container(
        engine, adapters=PurePosixPath("/a"), chat_template=PurePosixPath("/t")
    )
    arguments = vllm_arguments(LORA, engine, placement)
    assert f"--model={engine.model}" in arguments
    assert not any("runai" in argument for argument in arguments)


@pytest.mark.parametrize("name", NAMES)
def test_the_drain_ends_before_the_node_does(name: str) -> None:
    """Leave the load balancer, finish what is in flight, and only then be killed."""
    (drain,) = [
        int(argument.split("=")[1])
        for argument in server(name)["args"]
        if argument.startswith("--shutdown-timeout=")
    ]
    leave = server(name)["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = pod(name)["terminationGracePeriodSeconds"]
    assert leave + drain < grace < SPOT_NOTICE_S
    assert drain >= DEREGISTRATION_S


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_may_take_as_long_to_start_as_it_says(name: str) -> None:
    probe = server(name)["startupProbe"]
    budget = FLEET.engines[name].startup_budget_s
    assert budget <= probe["periodSeconds"] * probe["failureThreshold"] < budget + 10
    assert deployment(name)["spec"]["progressDeadlineSeconds"] > budget


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_ask_what_needs_no_key(probe: str) -> None:
    assert server(LORA)[probe]["httpGet"] == {"path": "/health", "port": "http"}


@pytest.mark.parametrize("name", NAMES)
def test_one_gpu_and_what_the_entry_asks(name: str) -> None:
    resources = server(name)["resources"]
    assert resources["requests"] == resources["limits"]
    assert resources["limits"]["nvidia.com/gpu"] == "1"
    assert resources["limits"]["memory"] == f"{FLEET.engines[name].pod.memory_gib:g}Gi"
    assert resources["limits"]["cpu"] == f"{FLEET.engines[name].pod.cpu:g}"


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_is_alone_on_a_node_that_fits_it(name: str) -> None:
    affinity = pod(name)["affinity"]
    (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    wanted = {one["key"]: one["values"] for one in term["matchExpressions"]}
    assert wanted == {
        "llmo/pool": ["gpu"],
        "node.kubernetes.io/instance-type": list(FLEET.engines[name].instance_types),
    }
    (apart,) = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = deployment(name)["spec"]["template"]["metadata"]["labels"]
    assert apart["labelSelector"]["matchLabels"].items() <= labels.items()
    assert apart["labelSelector"]["matchLabels"] == {"app.kubernetes.io/component": "engine"}
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    assert [one["key"] for one in pod(name)["tolerations"]] == ["nvidia.com/gpu"]


@pytest.mark.parametrize("name", NAMES)
def test_karpenter_may_drain_a_node_that_goes(name: str) -> None:
    """It evicts no pod with this annotation, even when SPOT capacity is taken back."""
    annotations = deployment(name)["spec"]["template"]["metadata"]["annotations"]
    assert "karpenter.sh/do-not-disrupt" not in annotations


def test_idle_connections_close_at_the_load_balancer_first() -> None:
    kept = int(settings(server(LORA))["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"])
    assert kept > EXAMPLE.idle_timeout_s


def test_nothing_of_kubernetes_reaches_vllms_environment() -> None:
    """A service named vllm would set VLLM_PORT to an address, and the server would not start."""
    assert pod(LORA)["enableServiceLinks"] is False


@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_written_is_written_to_volumes(name: str) -> None:
    for container in (*pod(name)["initContainers"], *pod(name)["containers"]):
        mounted = {one["mountPath"] for one in container["volumeMounts"]}
        assert {settings(container)["HOME"], "/tmp"} <= mounted
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    volumes = {one["name"] for one in pod(name)["volumes"]}
    mounts = {one["name"] for one in server(name)["volumeMounts"]}
    assert mounts <= volumes


def test_adapters_are_served_from_where_they_were_fetched_to() -> None:
    (fetch,) = pod(LORA)["initContainers"]
    assert fetch["args"] == ["lora-v1@1", "lora-v2@1"]
    assert {"lora-v1=/adapters/lora-v1@1", "lora-v2=/adapters/lora-v2@1"} <= set(
        server(LORA)["args"]
    )
    assert adapter_prefixes(FLEET.engines[LORA]) == ("adapters/lora-v1@1", "adapters/lora-v2@1")


def test_an_engine_without_adapters_fetches_none() -> None:
    (fetch,) = pod("mistral-7b-awq")["initContainers"]
    assert fetch["args"] == []


def test_a_new_version_of_an_adapter_starts_new_pods() -> None:
    engine = FLEET.engines[LORA]
    assert engine.lora is not None
    newer = replace(engine, lora=replace(engine.lora, versions={"lora-v2": 7}))
    fleet = replace(FLEET, engines={**FLEET.engines, LORA: newer})
    objects = engine_objects(fleet, LORA, EXAMPLE)
    (found,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert "lora-v2=/adapters/lora-v2@7" in container["args"]
    assert "lora-v1=/adapters/lora-v1@1" in container["args"]
