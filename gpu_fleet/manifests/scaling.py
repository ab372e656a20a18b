"""How many pods an engine has, and how they are replaced."""

from collections.abc import Mapping
from typing import Final

from gpu_fleet.engines import Engine
from gpu_fleet.manifests.cluster import Cluster, Object, metadata, selector

# A pod costs a node with a GPU and minutes of start: one is added at once, and given back late.
SCALE_IN_AFTER_S: Final = 900
COOLDOWN_S: Final = 1800  # before the last replica goes, where an engine may have none
PAUSED: Final = "autoscaling.keda.sh/paused-replicas"


def strategy(spare: int) -> Object:
    """With a GPU to spare the new pod comes first; without one it could only wait for the old's."""
    if spare:
        return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {"type": "Recreate"}


def most_replicas(engine: Engine, spare: int) -> int:
    """More would wait for nodes that the stage may not have."""
    return max(1, min(engine.replicas.max, engine.replicas.min + spare))


def waiting_per_replica(engine: Engine) -> int:
    """A quarter of a batch that waits is a batch that is full for good."""
    return max(1, engine.max_num_seqs // 4)


def scaled_object(
    name: str, engine: Engine, cluster: Cluster, marks: Mapping[str, str], spare: int
) -> Object:
    """KEDA's: by requests that wait in vLLM, which says more than how busy a GPU is."""
    paused = {"annotations": {PAUSED: "0"}} if cluster.paused else {}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(name, cluster, marks) | paused,
        "spec": {
            "scaleTargetRef": {"name": name},
            "pollingInterval": 15,
            "cooldownPeriod": COOLDOWN_S,
            "minReplicaCount": engine.replicas.min,
            "maxReplicaCount": most_replicas(engine, spare),
            # Without Prometheus nobody knows, so nothing is taken away.
            "fallback": {
                "failureThreshold": 4,
                "replicas": max(1, engine.replicas.min),
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior()}},
            "triggers": [_trigger(name, engine, cluster)],
        },
    }


def _behavior() -> Object:
    one = {"type": "Pods", "value": 1, "periodSeconds": 120}
    return {
        "scaleUp": {"stabilizationWindowSeconds": 30, "policies": [one]},
        "scaleDown": {"stabilizationWindowSeconds": SCALE_IN_AFTER_S, "policies": [one]},
    }


def _trigger(name: str, engine: Engine, cluster: Cluster) -> Object:
    return {
        "type": "prometheus",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": cluster.prometheus,
            "query": f'sum(vllm:num_requests_waiting{{model_name="{name}"}})',
            "threshold": str(waiting_per_replica(engine)),
        },
    }


def disruption_budget(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    """One at a time, the last one too: a budget that keeps it would forbid the drain that saves its
    requests, and a SPOT node goes after two minutes whoever is on it.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(name, cluster, marks),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector(marks)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
