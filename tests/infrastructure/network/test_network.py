"""Nothing of ours is reached from outside, and what holds prompts reaches nothing outside."""

import json
from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any, Final

import pytest

from cdk import names
from cdk.stages import load_stage
from tests.support.synth import STAGES, resources, templates

EVERYWHERE: Final = {"0.0.0.0/0", "::/0"}
TIERS: Final = ("private", "functions", "balancers", "nat")


def of(stage: str, *kinds: str) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"] | {"kind": one["Type"]}
        for name, one in resources(templates(stage)["network"], *kinds).items()
    }


def subnets(stage: str, tier: str) -> dict[str, dict[str, Any]]:
    return {
        name: one
        for name, one in of(stage, "AWS::EC2::Subnet").items()
        if {"Key": "aws-cdk:subnet-name", "Value": tier} in one["Tags"]
    }


def routes_out(stage: str, tier: str) -> list[dict[str, Any]]:
    tables = {
        one["RouteTableId"]["Ref"]
        for one in of(stage, "AWS::EC2::SubnetRouteTableAssociation").values()
        if one["SubnetId"]["Ref"] in subnets(stage, tier)
    }
    routes = of(stage, "AWS::EC2::Route").values()
    return [one for one in routes if one["RouteTableId"]["Ref"] in tables]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("tier", TIERS)
def test_each_tier_is_in_the_zones_that_the_stage_names(stage: str, tier: str) -> None:
    zones = sorted(one["AvailabilityZone"] for one in subnets(stage, tier).values())
    assert zones == sorted(load_stage(stage).zones)


@pytest.mark.parametrize("stage", STAGES)
def test_addresses_are_within_the_network_and_mostly_for_pods(stage: str) -> None:
    whole = IPv4Network(load_stage(stage).cidr)
    cut = {
        tier: [IPv4Network(one["CidrBlock"]) for one in subnets(stage, tier).values()]
        for tier in TIERS
    }
    every = [one for tier in cut.values() for one in tier]
    assert all(one.subnet_of(whole) for one in every)
    assert not any(one.overlaps(other) for one, other in combinations(every, 2))
    assert sum(one.num_addresses for one in cut["private"]) >= whole.num_addresses * 3 // 4


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_gets_a_public_address_by_itself(stage: str) -> None:
    assert {one["MapPublicIpOnLaunch"] for one in of(stage, "AWS::EC2::Subnet").values()} == {False}


@pytest.mark.parametrize("stage", STAGES)
def test_private_subnets_leave_by_nat_only(stage: str) -> None:
    out = routes_out(stage, "private")
    assert len(out) == len(load_stage(stage).zones)
    assert all("NatGatewayId" in one and "GatewayId" not in one for one in out)
    assert len(of(stage, "AWS::EC2::NatGateway")) == load_stage(stage).nat_gateways


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("tier", ["functions", "balancers"])
def test_isolated_subnets_have_no_way_out(stage: str, tier: str) -> None:
    assert routes_out(stage, tier) == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_gateways_functions_are_in_those_subnets(stage: str) -> None:
    """Their group lets them out to any address, which only this makes harmless."""
    api = templates(stage)["api"]
    attached = [
        one["Properties"]["VpcConfig"]
        for one in resources(api, "AWS::Serverless::Function", "AWS::Lambda::Function").values()
        if "VpcConfig" in one["Properties"]
    ]
    assert attached
    for config in attached:
        used = json.dumps(config["SubnetIds"])
        assert sum(name in used for name in subnets(stage, "functions")) == 3
        assert not any(name in used for name in subnets(stage, "private"))
        assert not any(name in used for name in subnets(stage, "balancers"))


@pytest.mark.parametrize("stage", STAGES)
def test_internal_load_balancers_have_subnets_of_their_own(stage: str) -> None:
    tag = {"Key": "kubernetes.io/role/internal-elb", "Value": "1"}
    for tier in TIERS:
        tagged = {tag in one["Tags"] for one in subnets(stage, tier).values()}
        assert tagged == {tier == "balancers"}
    for one in subnets(stage, "balancers").values():
        assert IPv4Network(one["CidrBlock"]).prefixlen <= 27  # the smallest that AWS takes


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_else_is_in_the_balancers_subnets(stage: str) -> None:
    """An address there passes for the load balancer's."""
    exported = {
        export["Value"]["Ref"]: export["Export"]["Name"]
        for export in templates(stage)["network"]["Outputs"].values()
        if export["Value"].get("Ref") in subnets(stage, "balancers")
    }
    names_of = {*exported, *exported.values()}
    users = {
        resource["Type"]
        for template in templates(stage).values()
        for resource in template["Resources"].values()
        if resource["Type"] != "AWS::EC2::SubnetRouteTableAssociation"
        and any(f'"{name}"' in json.dumps(resource) for name in names_of)
        and resource["Type"] != "Custom::AWSCDK-EKS-KubernetesResource"
    }
    assert users == {"AWS::ElasticLoadBalancingV2::LoadBalancer"}


def rules(stage: str, direction: str) -> list[dict[str, Any]]:
    """Within groups, and beside them; each with the group that it is of."""
    within = [
        {**rule, "of": name}
        for name, group in of(stage, "AWS::EC2::SecurityGroup").items()
        for rule in group.get(f"SecurityGroup{direction}", [])
    ]
    beside = [
        {**rule, "of": rule["GroupId"]["Fn::GetAtt"][0]}
        for rule in of(stage, f"AWS::EC2::SecurityGroup{direction}").values()
    ]
    return within + beside


def group(stage: str, words: str) -> str:
    (name,) = (
        name
        for name, one in of(stage, "AWS::EC2::SecurityGroup").items()
        if words in one["GroupDescription"]
    )
    return name


def from_group(rule: Mapping[str, Any]) -> str | None:
    source = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    return str(source["Fn::GetAtt"][0]) if source else None


@pytest.mark.parametrize("stage", STAGES)
def test_no_group_lets_in_everybody(stage: str) -> None:
    allowed = rules(stage, "Ingress")
    assert allowed
    for rule in allowed:
        assert {rule.get("CidrIp"), rule.get("CidrIpv6")}.isdisjoint(EVERYWHERE)
        assert rule["IpProtocol"] == "tcp"
        assert rule["FromPort"] == rule["ToPort"]


@pytest.mark.parametrize("stage", STAGES)
def test_engines_are_reached_by_functions_only(stage: str) -> None:
    into = [rule for rule in rules(stage, "Ingress") if rule["of"] == group(stage, "balancer")]
    functions = group(stage, "Functions")
    assert [(from_group(rule), rule["ToPort"]) for rule in into] == [
        (functions, 80),
        (functions, 443),  # where the stage has a domain, or is about to get one
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_functions_reach_engines_and_services(stage: str) -> None:
    out = [rule for rule in rules(stage, "Egress") if rule["of"] == group(stage, "Functions")]
    engines = group(stage, "balancer")
    assert sorted((from_group(rule) or rule["CidrIp"], rule["ToPort"]) for rule in out) == sorted(
        [(engines, 80), (engines, 443), ("0.0.0.0/0", 443)]
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_default_group_lets_nothing_through(stage: str) -> None:
    (one,) = of(stage, "Custom::VpcRestrictDefaultSG").values()
    assert one["DefaultSecurityGroupId"]["Fn::GetAtt"][1] == "DefaultSecurityGroup"


@pytest.mark.parametrize("stage", STAGES)
def test_all_traffic_is_logged_for_as_long_as_the_stage_says(stage: str) -> None:
    (flow,) = of(stage, "AWS::EC2::FlowLog").values()
    assert flow["TrafficType"] == "ALL"
    log = of(stage, "AWS::Logs::LogGroup")[flow["LogGroupName"]["Ref"]]
    assert log["RetentionInDays"] == load_stage(stage).log_retention_days


@pytest.mark.parametrize("stage", STAGES)
def test_names_within_the_network_are_the_engines(stage: str) -> None:
    (zone,) = of(stage, "AWS::Route53::HostedZone").values()
    assert zone["Name"] == f"{names.private_zone(load_stage(stage))}."
    assert len(zone["VPCs"]) == 1
