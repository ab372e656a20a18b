"""All objects of one engine."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from gpu_fleet.engines import Engine, Fleet
from gpu_fleet.manifests.cluster import (
    Cluster,
    Object,
    Objects,
    labels,
    metadata,
    selector,
    spare_gpus,
)
from gpu_fleet.manifests.placement import ENGINE
from gpu_fleet.manifests.pods import API_KEY, CHAT_TEMPLATE, pod_spec
from gpu_fleet.manifests.policies import engine_policy, engine_way_out
from gpu_fleet.manifests.scaling import disruption_budget, scaled_object, strategy
from gpu_fleet.manifests.secrets import secret_provider
from gpu_fleet.serving import CONTAINER_PORT

# A node is bought, and an image of ten gigabytes pulled, before an engine even starts.
_NODE_AND_IMAGE_S: Final = 900


def service_account(engine: str) -> str:
    """Its pods have AWS rights of their own under this name."""
    return engine


def engine_objects(fleet: Fleet, name: str, cluster: Cluster) -> Objects:
    """In the order in which they need each other; raises SetupError where GPUs are too few."""
    engine = fleet.engines[name]
    spare = spare_gpus(fleet, cluster)
    marks = labels(name, ENGINE) | {"llmo/team": engine.team}
    objects = [
        _service_account(name, cluster, marks),
        _config_map(name, cluster, marks),
        secret_provider(
            name,
            cluster,
            marks,
            secret=cluster.engine_keys[name],
            file="engine-key",
            variable=API_KEY,
        ),
        engine_policy(name, cluster, marks),
        engine_way_out(name, cluster, marks),
        _service(name, cluster, marks),
        disruption_budget(name, cluster, marks),
        _deployment(name, engine, cluster, marks, spare),
        scaled_object(name, engine, cluster, marks, spare),
    ]
    if name in cluster.target_groups:
        objects.append(_binding(name, cluster, marks))
    return objects


def _service_account(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(service_account(name), cluster, marks),
        "automountServiceAccountToken": False,
    }


def _config_map(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(name, cluster, marks),
        "data": {CHAT_TEMPLATE.name: cluster.chat_template},
    }


def _service(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name, cluster, marks),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(marks),
            "ports": [{"name": "http", "port": CONTAINER_PORT, "targetPort": "http"}],
        },
    }


def _deployment(
    name: str, engine: Engine, cluster: Cluster, marks: Mapping[str, str], spare: int
) -> Object:
    # KEDA rules how many pods there are; a number here would overrule it at each deploy.
    replicas = {"replicas": 0} if cluster.paused else {}
    # Not `karpenter.sh/do-not-disrupt`: Karpenter evicts no such pod, even from a SPOT node that
    # goes: they would die without a drain. The node pool gives back empty nodes only.
    annotations = {
        "kubectl.kubernetes.io/default-container": "vllm",
        # A running server never reads its template again.
        "llmo/chat-template": sha256(cluster.chat_template.encode()).hexdigest()[:16],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name, cluster, marks),
        "spec": {
            **replicas,
            "revisionHistoryLimit": 5,
            # Ready means healthy to the load balancer too, before the old pod goes.
            "minReadySeconds": 30,
            "progressDeadlineSeconds": engine.startup_budget_s + _NODE_AND_IMAGE_S,
            "strategy": strategy(spare),
            "selector": {"matchLabels": selector(marks)},
            "template": {
                "metadata": {"labels": dict(marks), "annotations": annotations},
                "spec": pod_spec(name, engine, cluster, selector(marks)),
            },
        },
    }


def _binding(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    """EKS puts the engine's ready pods into the target group, and takes those that go out of it."""
    return {
        "apiVersion": "eks.amazonaws.com/v1",
        "kind": "TargetGroupBinding",
        "metadata": metadata(name, cluster, marks),
        "spec": {
            "serviceRef": {"name": name, "port": CONTAINER_PORT},
            "targetGroupARN": cluster.target_groups[name],
            "targetType": "ip",
        },
    }
