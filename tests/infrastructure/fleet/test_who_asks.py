"""An engine's server guards some paths with its key only: who may connect matters."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from cdk import names
from tests.support.synth import STAGES, manifests, resources, templates


def subnets(stage: str, tier: str) -> dict[str, IPv4Network]:
    found = resources(templates(stage)["network"], "AWS::EC2::Subnet")
    mark = {"Key": "aws-cdk:subnet-name", "Value": tier}
    return {
        name: IPv4Network(one["Properties"]["CidrBlock"])
        for name, one in found.items()
        if mark in one["Properties"]["Tags"]
    }


def askers(stage: str) -> list[IPv4Network]:
    """Addresses that engines' policies let in."""
    return [
        IPv4Network(literal(stage, peer["ipBlock"]["cidr"]))
        for one in manifests(stage)
        if one["kind"] == "NetworkPolicy" and one["metadata"]["namespace"] == names.NAMESPACE
        for rule in one["spec"].get("ingress", ())
        for peer in rule["from"]
        if "ipBlock" in peer
    ]


def literal(stage: str, cidr: str) -> str:
    """Tokens are words with the subnet's logical id in them."""
    known = resources(templates(stage)["network"], "AWS::EC2::Subnet")
    for name, one in known.items():
        if name in cidr:
            block: str = one["Properties"]["CidrBlock"]
            return block
    return cidr


@pytest.mark.parametrize("stage", STAGES)
def test_no_pod_passes_for_the_load_balancer(stage: str) -> None:
    asking = askers(stage)
    assert asking
    for tier in ("private", "functions"):
        for subnet in subnets(stage, tier).values():
            assert not [one for one in asking if one.overlaps(subnet)]


@pytest.mark.parametrize("stage", STAGES)
def test_the_load_balancer_is_let_in_wherever_it_is(stage: str) -> None:
    assert set(askers(stage)) == set(subnets(stage, "balancers").values())
    (balancer,) = resources(
        templates(stage)["fleet"], "AWS::ElasticLoadBalancingV2::LoadBalancer"
    ).values()
    used: list[Any] = balancer["Properties"]["Subnets"]
    for name in subnets(stage, "balancers"):
        assert sum(name in str(one) for one in used) == 1
    assert len(used) == 3
