"""KEDA: the namespace it lives in, and the values of its chart."""

from ipaddress import IPv4Network
from typing import Any, Final

from cdk.deployment import Deployment
from cdk.kubernetes.namespaces import Namespace
from cdk.kubernetes.node_pools import POOL
from cdk.stages import Stage

NAMESPACE: Final = "keda"
PROMETHEUS: Final = {"kubernetes.io/metadata.name": "observability"}
# Pods, as the chart's values name them, and how the values name their replicas.
PODS: Final = {"operator": "operator", "metricServer": "metricsServer", "webhooks": "webhooks"}
POD: Final = {"runAsNonRoot": True}
CONTAINER: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESOURCES: Final = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "1", "memory": "512Mi"},
}
# The metrics server writes its own certificate into its root file system.
WRITES: Final = frozenset({"metricServer"})


def namespace(stage: Stage) -> Namespace:
    """The control plane calls in from the network; KEDA asks it and Prometheus, and no others."""
    anyone_here: dict[str, Any] = {"podSelector": {}}
    network = {"ipBlock": {"cidr": stage.cidr}}
    api_address = {"ipBlock": {"cidr": f"{IPv4Network(stage.service_cidr)[1]}/32"}}
    prometheus = {"namespaceSelector": {"matchLabels": PROMETHEUS}}
    return Namespace(
        name=NAMESPACE,
        cpu=1,
        memory_gib=1,
        pods=6,
        ingress=(
            {"from": [anyone_here]},
            {"from": [network], "ports": [_tcp(9443), _tcp(6443)]},
        ),
        egress=(
            {"to": [anyone_here]},
            {"to": [api_address, network], "ports": [_tcp(443)]},
            {"to": [prometheus], "ports": [_tcp(9090)]},
        ),
    )


def values(deployment: Deployment) -> dict[str, Any]:
    """While paused nothing of KEDA runs. Then its webhook lets everything pass (`Ignore`), and its
    metrics API answers nobody: autoscalers hold still, and namespaces can't be deleted.
    """
    replicas = {"replicaCount": 0 if deployment.paused else 1}
    return {
        **dict.fromkeys(PODS.values(), replicas),
        "webhooks": {**replicas, "failurePolicy": "Ignore"},
        "nodeSelector": {POOL: "general"},
        "image": {"pullPolicy": "IfNotPresent"},
        # Deployments only, and no secrets but its own: triggers here need none.
        "rbac": {"enabledCustomScaledRefKinds": False},
        "permissions": {
            pod: {"restrict": {"secret": True}} for pod in ("operator", "metricServer")
        },
        "podSecurityContext": dict.fromkeys(PODS, POD),
        "securityContext": {
            pod: CONTAINER | {"readOnlyRootFilesystem": pod not in WRITES} for pod in PODS
        },
        "resources": dict.fromkeys(PODS, RESOURCES),
    }


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}
