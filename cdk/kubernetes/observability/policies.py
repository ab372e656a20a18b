"""Who may talk to whom. The namespaces deny everything but names and AWS credentials (see
namespaces.py); here is what is needed beyond that.
"""

from collections.abc import Sequence

from cdk.kubernetes.namespaces import network_policy
from cdk.kubernetes.observability.settings import NAMESPACE, Manifest, Settings
from cdk.kubernetes.observability.workloads import selector


def policy(
    name: str,
    *,
    ingress: Sequence[Manifest],
    egress: Sequence[Manifest],
    namespace: str = NAMESPACE,
) -> Manifest:
    spec = {
        "podSelector": {"matchLabels": selector(name)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": list(ingress),
        "egress": list(egress),
    }
    return network_policy(name, namespace, spec)


def ports(*numbers: int) -> list[Manifest]:
    return [{"protocol": "TCP", "port": number} for number in numbers]


def pods(*names: str, namespace: str | None = None) -> list[Manifest]:
    """Pods of this namespace by their name label, or of another."""
    other = (
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
        if namespace
        else {}
    )
    if not names:
        return [other]
    return [{**other, "podSelector": {"matchLabels": selector(name)}} for name in names]


def block(*cidrs: str) -> list[Manifest]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def allow_from(peers: Sequence[Manifest], *numbers: int) -> Manifest:
    return {"from": list(peers), "ports": ports(*numbers)}


def allow_to(peers: Sequence[Manifest], *numbers: int) -> Manifest:
    return {"to": list(peers), "ports": ports(*numbers)}


def api_server(settings: Settings) -> Manifest:
    return allow_to(block(settings.service_cidr, settings.cidr), 443)
