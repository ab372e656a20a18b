"""Who may talk to an engine, and to whom it may: everything else is closed."""

from collections.abc import Iterator, Mapping
from typing import Final

from gpu_fleet.manifests.cluster import Cluster, Object, metadata, selector
from gpu_fleet.serving import CONTAINER_PORT

EVERYWHERE: Final = "0.0.0.0/0"
LINK_LOCAL: Final = "169.254.0.0/16"
OBSERVABILITY: Final = "observability"
# Where SDKs may still ask S3 by its first, global name.
_FIRST_REGION: Final = "us-east-1"


def engine_policy(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    """The load balancer asks, Prometheus scrapes. Probes come from the node and need no rule."""
    ingress = [_from_balancers(cluster), _from_prometheus()]
    return _policy(name, cluster, marks, ingress=ingress, egress=[])


def engine_way_out(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    """An engine holds every prompt in clear, and all that it fetches is in the bucket: so of the
    internet it reaches S3, by name. What it may do there, the network's endpoint says.

    EKS knows a policy's addresses by the policy's name alone, whatever its kind: no two may share
    one.
    """
    return {
        "apiVersion": "networking.k8s.aws/v1alpha1",
        "kind": "ApplicationNetworkPolicy",
        "metadata": metadata(f"{name}-s3", cluster, marks),
        "spec": {
            "podSelector": {"matchLabels": selector(marks)},
            "policyTypes": ["Egress"],
            "egress": [
                _to_names(cluster),
                {"to": [{"domainNames": list(_s3(cluster.region))}], "ports": [_port(443)]},
            ],
        },
    }


def weights_policy(name: str, cluster: Cluster, marks: Mapping[str, str]) -> Object:
    """The hub answers from many names that change, so this job reaches all of the internet."""
    return _policy(name, cluster, marks, ingress=[], egress=[_to_internet(cluster)])


def _policy(
    name: str,
    cluster: Cluster,
    marks: Mapping[str, str],
    *,
    ingress: list[Object],
    egress: list[Object],
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
            "egress": egress,
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


def _to_names(cluster: Cluster) -> Object:
    """The node learns a name's addresses from the answers that it passes on. Which address of the
    resolver's a policy sees on Auto Mode, AWS doesn't say.
    """
    inside = (cluster.network, cluster.services, LINK_LOCAL)
    ports = [_port(53, "UDP"), _port(53)]
    return {"to": [{"ipBlock": {"cidr": one}} for one in inside], "ports": ports}


def _s3(region: str) -> Iterator[str]:
    for host in (f"s3.{region}", *(["s3"] if region == _FIRST_REGION else [])):
        yield f"{host}.amazonaws.com"
        yield f"*.{host}.amazonaws.com"


def _to_internet(cluster: Cluster) -> Object:
    """S3 has public addresses, also through its gateway endpoint. Nothing inside is reached."""
    outside = {"cidr": EVERYWHERE, "except": [cluster.network, cluster.services, LINK_LOCAL]}
    return {"to": [{"ipBlock": outside}], "ports": [_port(443)]}


def _port(port: int, protocol: str = "TCP") -> Object:
    return {"port": port, "protocol": protocol}
