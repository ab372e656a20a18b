"""An engine's pod: one vLLM server, one GPU, and a way to go that loses no request."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from gpu_fleet.engines import Engine
from gpu_fleet.manifests.cluster import (
    AWS_IMAGE,
    VLLM_IMAGE,
    Cluster,
    Object,
    model_prefix,
    published,
)
from gpu_fleet.manifests.containers import (
    CONTAINER_SECURITY,
    POD_SECURITY,
    SCRATCH_MOUNTS,
    environment,
    exactly,
    scratch,
)
from gpu_fleet.manifests.placement import affinity, spread, tolerations
from gpu_fleet.manifests.scripts import FETCH
from gpu_fleet.manifests.secrets import SECRET_MOUNT, secret_volume
from gpu_fleet.serving import CONTAINER_PORT, in_container, vllm_arguments

# From SIGTERM on `/health` stays 200 while new requests get 500: so first the pod leaves the load
# balancer, then the server drains (serving.py), and only then the grace period ends. All of it fits
# into the two minutes that a SPOT node has.
LEAVE_BALANCER_S: Final = 15
GRACE_S: Final = 90
PROBE_PERIOD_S: Final = 10
WAIT_FOR_WEIGHTS_S: Final = 1200  # on a node with a GPU, which bills
ADAPTERS: Final = PurePosixPath("/adapters")
CHAT_TEMPLATE: Final = PurePosixPath("/etc/engine/chat_template.jinja")
API_KEY: Final = "VLLM_API_KEY"


def pod_spec(name: str, engine: Engine, cluster: Cluster, chosen: Mapping[str, str]) -> Object:
    return {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,  # it asks AWS, never the Kubernetes API
        # Service links would set variables like VLLM_PORT, which vLLM takes for its own.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": dict(POD_SECURITY),
        "affinity": affinity(engine),
        "tolerations": tolerations(),
        "topologySpreadConstraints": spread(chosen),
        "initContainers": [_fetch(engine, cluster)],
        "containers": [_server(name, engine, cluster)],
        "volumes": _volumes(name),
    }


def container_arguments(name: str, engine: Engine, cluster: Cluster) -> list[str]:
    placement = in_container(
        engine,
        adapters=ADAPTERS,
        chat_template=CHAT_TEMPLATE,
        weights=f"{cluster.weights}/{model_prefix(engine)}",
    )
    versioned = {name: str(ADAPTERS / folder) for name, folder in published(engine).items()}
    return vllm_arguments(name, engine, replace(placement, adapters=versioned))


def _server(name: str, engine: Engine, cluster: Cluster) -> Object:
    return {
        "name": "vllm",
        "image": VLLM_IMAGE,
        # As on a workstation, and whatever the image's own entry point is.
        "command": ["python3", "-m", "vllm.entrypoints.openai.api_server"],
        "args": container_arguments(name, engine, cluster),
        "env": [*_settings(cluster), _api_key(name)],
        "ports": [{"name": "http", "containerPort": CONTAINER_PORT}],
        "resources": _resources(engine),
        "securityContext": dict(CONTAINER_SECURITY),
        "startupProbe": _probe(failures=-(-engine.startup_budget_s // PROBE_PERIOD_S)),
        "readinessProbe": _probe(failures=2),
        "livenessProbe": _probe(failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_BALANCER_S}}},
        "volumeMounts": _mounts(),
    }


def _settings(cluster: Cluster) -> list[Object]:
    return environment(
        AWS_REGION=cluster.region,
        # Everything is in the bucket; a pod that asked the hub would hang on it.
        HF_HUB_OFFLINE="1",
        VLLM_NO_USAGE_STATS="1",
        # Longer than the load balancer's, or a connection closes while a request is on its way.
        VLLM_HTTP_TIMEOUT_KEEP_ALIVE=str(cluster.idle_timeout_s + 15),
    )


def _api_key(name: str) -> Object:
    return {"name": API_KEY, "valueFrom": {"secretKeyRef": {"name": name, "key": API_KEY}}}


def _resources(engine: Engine) -> Object:
    resources = exactly(
        cpu=f"{engine.pod.cpu:g}", memory=f"{engine.pod.memory_gib:g}Gi", ephemeral_storage="12Gi"
    )
    for kind in resources.values():
        kind["nvidia.com/gpu"] = "1"
    return resources


def _probe(failures: int) -> Object:
    """`/health` needs no key, and asks the engine behind the server."""
    return {
        "httpGet": {"path": "/health", "port": "http"},
        "periodSeconds": PROBE_PERIOD_S,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _fetch(engine: Engine, cluster: Cluster) -> Object:
    """Waits for the model's copy, and brings adapters: vLLM streams models only."""
    settings = {
        "BUCKET": cluster.weights,
        "PREFIX": model_prefix(engine),
        "ADAPTERS": str(ADAPTERS),
        "WAIT_S": str(WAIT_FOR_WEIGHTS_S),
    }
    return {
        "name": "fetch",
        "image": AWS_IMAGE,
        "command": ["/bin/sh", "-c", FETCH, "fetch"],
        "args": list(published(engine).values()),
        "env": environment(AWS_REGION=cluster.region, **settings),
        "resources": exactly(cpu="500m", memory="512Mi", ephemeral_storage="4Gi"),
        "securityContext": dict(CONTAINER_SECURITY),
        "volumeMounts": [*SCRATCH_MOUNTS, {"name": "adapters", "mountPath": str(ADAPTERS)}],
    }


def _mounts() -> list[Object]:
    return [
        *SCRATCH_MOUNTS,
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108  (a volume)
        {"name": "chat-template", "mountPath": str(CHAT_TEMPLATE.parent), "readOnly": True},
        dict(SECRET_MOUNT),
        {"name": "adapters", "mountPath": str(ADAPTERS), "readOnly": True},
    ]


def _volumes(name: str) -> list[Object]:
    return [
        *scratch(home_gib=6),
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {"name": "chat-template", "configMap": {"name": name}},
        secret_volume(name),
        {"name": "adapters", "emptyDir": {"sizeLimit": "4Gi"}},
    ]
