"""RBAC: what a component may read through the API server."""

from collections.abc import Iterable, Sequence
from typing import Final

from cdk.kubernetes.observability.settings import NAMESPACE, Manifest
from cdk.kubernetes.observability.workloads import labels

_API: Final = "rbac.authorization.k8s.io"


def rule(group: str, resources: Sequence[str], *verbs: str) -> Manifest:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def in_cluster(component: str, rules: Sequence[Manifest]) -> list[Manifest]:
    name = f"llmo-{component}"
    return [
        _role("ClusterRole", {"name": name, "labels": labels(component)}, rules),
        _binding("ClusterRoleBinding", {"name": name, "labels": labels(component)}, component),
    ]


def in_namespaces(
    component: str, rules: Sequence[Manifest], namespaces: Iterable[str]
) -> list[Manifest]:
    """One role of the cluster, but bound in these namespaces only."""
    name = f"llmo-{component}-pods"
    return [
        _role("ClusterRole", {"name": name, "labels": labels(component)}, rules),
        *(
            _binding(
                "RoleBinding",
                {"name": name, "namespace": namespace, "labels": labels(component)},
                component,
            )
            for namespace in namespaces
        ),
    ]


def _role(kind: str, metadata: Manifest, rules: Sequence[Manifest]) -> Manifest:
    return {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}


def _binding(kind: str, metadata: Manifest, component: str) -> Manifest:
    return {
        "apiVersion": f"{_API}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": _API, "kind": "ClusterRole", "name": metadata["name"]},
        "subjects": [{"kind": "ServiceAccount", "name": component, "namespace": NAMESPACE}],
    }
