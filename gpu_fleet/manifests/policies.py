"""Who may talk to an engine, and to whom it may: everything else is closed."""

from collections.abc import Mapping
from typing import Final

from gpu_fleet.manifests.cluster import Cluster, Object, metadata, selector
from gpu_fleet.serving import CONTAINER_PORT

EVERYWHERE: Final = "0.0.0.0/0"
LINK_LOCAL: Final = "169.254.0.0/16"
OBSERVABILITY: Final = "observability"


def engine_policy(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    """The load balancer asks, Prometheus scrapes. Probes come from the node and need no rule."""
    return _policy(name, cluster, marks, ingress=[_from_balancers(cluster), _from_prometheus()])


def weights_policy(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    return _policy(name, cluster, marks, ingress=[])


def _policy(
    name: str, cluster: Cluster, marks: Mapping[str, str], *, ingress: list[Object]
) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, cluster, marks),
        "spec": {
            "podSelector": {"matchLabels": selector(marks)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            # Names and AWS credentials are for all of the namespace, by its own policy.
            "egress": [_to_internet(cluster)],
        },
    }


def _from_balancers(cluster: Cluster) -> Object:
    return {
        "from": [{"ipBlock": {"cidr": one}} for one in cluster.balancers],
        "ports": [_port(CONTAINER_PORT)],
    }


def _from_prometheus() -> Object:
    return {
        "from": [
            {
                "namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": OBSERVABILITY}
                },
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
            }
        ],
        "ports": [_port(CONTAINER_PORT)],
    }


def _to_internet(cluster: Cluster) -> Object:
    """S3 has public addresses, also through its gateway endpoint. Nothing inside is reached."""
    outside = {"cidr": EVERYWHERE, "except": [cluster.network, cluster.services, LINK_LOCAL]}
    return {"to": [{"ipBlock": outside}], "ports": [_port(443)]}


def _port(port: int) -> Object:
    return {"port": port, "protocol": "TCP"}
