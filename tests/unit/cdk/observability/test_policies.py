"""Each way in the namespace has two ends, and both must be open."""

from typing import Any

from cdk.kubernetes.observability.settings import NAMESPACE
from tests.support.observability import WORKLOADS, objects, of_kind

Way = tuple[str, str, int]


def _inside(peer: dict[str, Any]) -> str | None:
    """The name label of a pod of the namespace."""
    if "ipBlock" in peer or "namespaceSelector" in peer:
        return None
    name: str = peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
    return name


def _ways(direction: str, side: str) -> set[Way]:
    ways = set()
    for policy in of_kind("NetworkPolicy"):
        if policy["metadata"]["namespace"] != NAMESPACE:
            continue
        owner = policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for rule in policy["spec"][direction]:
            for peer in rule[side]:
                if (other := _inside(peer)) is not None:
                    pair = (owner, other) if direction == "egress" else (other, owner)
                    ways |= {(*pair, port["port"]) for port in rule["ports"]}
    return ways


def test_what_one_may_send_the_other_may_receive() -> None:
    assert _ways("egress", "to") == _ways("ingress", "from")


def test_every_workload_has_its_policy_and_every_way_ends_at_a_port() -> None:
    ports = {
        workload["metadata"]["name"]: {
            port["containerPort"]
            for container in workload["spec"]["template"]["spec"]["containers"]
            for port in container["ports"]
        }
        for workload in of_kind(*WORKLOADS)
    }
    guarded = {
        one["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name")
        for one in of_kind("NetworkPolicy")
    }
    assert set(ports) <= guarded
    for _, to, port in _ways("ingress", "from"):
        assert port in ports[to]


def test_only_alertmanager_reaches_the_internet() -> None:
    leaves = {
        one["metadata"]["name"]
        for one in of_kind("NetworkPolicy")
        for rule in one["spec"].get("egress", [])
        for peer in rule["to"]
        if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    }
    assert leaves == {"alertmanager"}


def test_the_addresses_that_components_use_are_services_with_that_port() -> None:
    services = {
        f"{one['metadata']['name']}:{port['port']}"
        for one in of_kind("Service")
        for port in one["spec"]["ports"]
    }
    texts = " ".join(str(one["data"]) for one in objects() if one["kind"] == "ConfigMap")
    used = {"alertmanager:9093", "loki:3100", "prometheus:9090", "tempo:3200", "tempo:4317"}
    assert all(address in texts for address in used)
    assert used <= services
