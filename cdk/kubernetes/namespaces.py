"""Namespaces with what every one has: a quota, limits for the forgetful, and closed doors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cdk import names
from cdk.stages import Stage
from gpu_fleet.engines import Fleet

Manifest = dict[str, Any]
PodSecurity = Literal["restricted", "baseline", "privileged"]

GPU: Final = "nvidia.com/gpu"
# A job beside the engines: it copies weights, or tries something out.
JOBS_CPU: Final = 4
JOBS_GIB: Final = 16
JOBS: Final = 4

POD_IDENTITY_AGENT: Final = "169.254.170.23/32"
LINK_LOCAL: Final = "169.254.0.0/16"
DNS: Final = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """`cpu` and `memory_gib` are what its pods may request together."""

    name: str
    cpu: int
    memory_gib: int
    pods: int
    gpus: int = 0
    pod_security: PodSecurity = "restricted"
    why: str = ""
    """Of a pod security less than restricted."""
    ingress: Sequence[Mapping[str, Any]] = field(default=())
    egress: Sequence[Mapping[str, Any]] = field(default=())


def namespaces(stage: Stage, fleet: Fleet) -> tuple[Namespace, ...]:
    return (
        Namespace(name="platform", cpu=4, memory_gib=8, pods=20),
        Namespace(name="quant", cpu=8, memory_gib=16, pods=15),
        Namespace(name="finetune", cpu=4, memory_gib=8, pods=10),
        Namespace(name="eval", cpu=4, memory_gib=8, pods=10),
        Namespace(name="observability", cpu=8, memory_gib=16, pods=30),
        _engines(stage, fleet),
    )


def _engines(stage: Stage, fleet: Fleet) -> Namespace:
    """As many engines as the stage has GPUs, however many replicas the fleet would like."""
    engines = fleet.engines.values()
    gpus = min(stage.gpu.limit, sum(engine.replicas.max for engine in engines))
    cpu = max(engine.pod.cpu for engine in engines)
    memory = max(engine.pod.memory_gib for engine in engines)
    return Namespace(
        name=names.NAMESPACE,
        cpu=round(gpus * cpu) + JOBS_CPU,
        memory_gib=round(gpus * memory) + JOBS_GIB,
        pods=gpus + JOBS,
        gpus=gpus,
    )


def objects(namespace: Namespace, *, service_cidr: str, network: str) -> list[Manifest]:
    """In the order in which they must be made. `network` is the CIDR of nodes and pods."""
    return [
        _namespace(namespace),
        _quota(namespace),
        _limits(namespace),
        _default_deny(namespace),
        _basics(namespace, resolvers(service_cidr, network)),
        *_opened(namespace),
    ]


def network_policy(name: str, namespace: str, spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": dict(spec),
    }


def no_way_into_default() -> Manifest:
    """Nothing runs there, but what does by mistake is not to be reached."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    return network_policy("default-deny", "default", spec)


def resolvers(service_cidr: str, network: str) -> tuple[str, ...]:
    """On Auto Mode names are answered on each node, not in a pod: no pod selector finds that. Which
    address a policy sees there, the service's, the node's or a link-local one, AWS doesn't say.
    """
    return (network, service_cidr, LINK_LOCAL)


def _namespace(namespace: Namespace) -> Manifest:
    level = namespace.pod_security
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
    annotations = {"llmo/pod-security-exception": namespace.why} if namespace.why else {}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace.name,
            "labels": labels,
            **({"annotations": annotations} if annotations else {}),
        },
    }


def _quota(namespace: Namespace) -> Manifest:
    hard = {
        "requests.cpu": str(namespace.cpu),
        "requests.memory": f"{namespace.memory_gib}Gi",
        "pods": str(namespace.pods),
        f"requests.{GPU}": str(namespace.gpus),
        # Nothing in the cluster is reached but through the load balancer that CDK makes.
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    return _of(namespace, "v1", "ResourceQuota", "quota", {"hard": hard})


def _limits(namespace: Namespace) -> Manifest:
    container = {
        "type": "Container",
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        "default": {"cpu": "500m", "memory": "512Mi"},
    }
    return _of(namespace, "v1", "LimitRange", "defaults", {"limits": [container]})


def _default_deny(namespace: Namespace) -> Manifest:
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return network_policy("default-deny", namespace.name, spec)


def _basics(namespace: Namespace, answering: Sequence[str]) -> Manifest:
    """Names, and the agent that hands out AWS credentials to pods that have a role."""
    egress = [
        {"to": [{"ipBlock": {"cidr": one}} for one in answering], "ports": list(DNS)},
        {
            "to": [{"ipBlock": {"cidr": POD_IDENTITY_AGENT}}],
            "ports": [{"protocol": "TCP", "port": 80}],
        },
    ]
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress}
    return network_policy("dns-and-identity", namespace.name, spec)


def _opened(namespace: Namespace) -> list[Manifest]:
    rules = {"Ingress": list(namespace.ingress), "Egress": list(namespace.egress)}
    return [
        network_policy(
            f"allow-{kind.lower()}",
            namespace.name,
            {"podSelector": {}, "policyTypes": [kind], kind.lower(): opened},
        )
        for kind, opened in rules.items()
        if opened
    ]


def _of(namespace: Namespace, version: str, kind: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace.name},
        "spec": spec,
    }
