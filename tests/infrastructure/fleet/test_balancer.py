"""The way from the gateway to engines."""

from typing import Any, Final

import pytest

from gpu_fleet.engines import load_fleet
from tests.support.synth import STAGES, resources, templates

ENGINES: Final = tuple(load_fleet().engines)
V2: Final = "AWS::ElasticLoadBalancingV2::"
PATHS: Final = ["/v1/chat/completions", "/v1/completions", "/v1/models", "/health"]


def only(kind: str, stage: str = "dev") -> dict[str, Any]:
    (resource,) = resources(templates(stage)["fleet"], kind).values()
    properties: dict[str, Any] = resource["Properties"]
    return properties


def all_of(kind: str, stage: str = "dev") -> list[dict[str, Any]]:
    found = resources(templates(stage)["fleet"], kind).values()
    return [resource["Properties"] for resource in found]


def attributes(stage: str = "dev") -> dict[str, str]:
    balancer = only(f"{V2}LoadBalancer", stage)
    return {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}


@pytest.mark.parametrize("stage", STAGES)
def test_the_load_balancer_is_internal_and_logs(stage: str) -> None:
    assert only(f"{V2}LoadBalancer", stage)["Scheme"] == "internal"
    assert attributes(stage)["access_logs.s3.enabled"] == "true"
    assert attributes(stage)["routing.http.drop_invalid_header_fields.enabled"] == "true"


@pytest.mark.parametrize("stage", STAGES)
def test_the_load_balancer_goes_with_its_stack(stage: str) -> None:
    """It holds nothing. Where data is kept, it is the stacks that are protected."""
    assert attributes(stage)["deletion_protection.enabled"] == "false"


def test_the_load_balancer_waits_longer_than_api_gateway() -> None:
    """An engine is silent until a whole answer is there."""
    assert int(attributes()["idle_timeout.timeout_seconds"]) > 65


def test_what_no_rule_names_is_not_found() -> None:
    (action,) = only(f"{V2}Listener")["DefaultActions"]
    assert action == {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def test_each_engine_has_a_host_and_only_the_paths_that_the_gateway_asks() -> None:
    """Adapters can be loaded at run time by other paths: those never leave the cluster."""
    hosts = []
    for rule in all_of(f"{V2}ListenerRule"):
        conditions = {one["Field"]: one for one in rule["Conditions"]}
        assert conditions["path-pattern"]["PathPatternConfig"]["Values"] == PATHS
        hosts += conditions["host-header"]["HostHeaderConfig"]["Values"]
        assert (
            sum(
                len(next(v for v in one.values() if v != one["Field"])["Values"])
                for one in rule["Conditions"]
            )
            <= 5
        )
    assert sorted(hosts) == sorted(f"{name}.dev.llmo.internal" for name in ENGINES)


def test_priorities_are_distinct_and_leave_room_below() -> None:
    priorities = [rule["Priority"] for rule in all_of(f"{V2}ListenerRule")]
    assert len(set(priorities)) == len(ENGINES)
    assert all(100 <= priority <= 50_000 for priority in priorities)


def test_each_engine_and_the_collector_have_names_in_the_private_zone() -> None:
    names = [record["Name"] for record in all_of("AWS::Route53::RecordSet")]
    assert sorted(names) == sorted(f"{name}.dev.llmo.internal." for name in (*ENGINES, "otel"))


def test_targets_are_pods_and_leave_without_losing_requests() -> None:
    groups = all_of(f"{V2}TargetGroup")
    assert len(groups) == len(ENGINES)
    for group in groups:
        kept = {one["Key"]: one["Value"] for one in group["TargetGroupAttributes"]}
        assert group["TargetType"] == "ip"
        assert group["HealthCheckPath"] == "/health"
        assert kept["deregistration_delay.timeout_seconds"] == "60"
        assert kept["load_balancing.algorithm.type"] == "least_outstanding_requests"


@pytest.mark.parametrize(("part", "count"), [("fleet", len(ENGINES)), ("observability", 1)])
def test_the_cluster_may_fill_the_target_groups(part: str, count: int) -> None:
    """EKS registers targets only in groups that carry its tag, with this cluster's name."""
    (cluster,) = resources(templates("dev")["cluster"], "AWS::EKS::Cluster")
    exported = {
        one["Export"]["Name"]: one["Value"]
        for one in templates("dev")["cluster"]["Outputs"].values()
        if "Export" in one
    }
    groups = resources(templates("dev")[part], f"{V2}TargetGroup").values()
    assert len(groups) == count
    for group in groups:
        tags = {tag["Key"]: tag["Value"] for tag in group["Properties"]["Tags"]}
        assert exported[tags["eks:eks-cluster-name"]["Fn::ImportValue"]] == {"Ref": cluster}


def test_pods_let_the_load_balancer_in_on_one_port() -> None:
    rule = only("AWS::EC2::SecurityGroupIngress")
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 8000, 8000)
    assert "CidrIp" not in rule
    assert "SourceSecurityGroupId" in rule
