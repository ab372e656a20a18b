"""What the stack asks of AWS: alarms, where they go, and the collector's way in."""

import json
import re
from functools import cache
from typing import Any

import pytest

from cdk import names
from cdk.deployment import Deployment
from cdk.stages import load_stages
from tests.support.synth import resources, templates

ALARM = "AWS::CloudWatch::Alarm"
WATCHING = ("network", "fleet", "observability")


@cache
def _stack(stage: str = "dev", *context: str) -> dict[str, Any]:
    return templates(stage, *context)["observability"]


def _alarms(stage: str = "dev") -> dict[str, dict[str, Any]]:
    """Of all stacks: each is where what it watches is made."""
    return {
        name: alarm for part in WATCHING for name, alarm in _alarms_of(part, stage=stage).items()
    }


def _alarms_of(part: str, *, stage: str = "dev") -> dict[str, dict[str, Any]]:
    prefix = f"llmo-{stage}-alarm-"
    return {
        one["Properties"]["AlarmName"].removeprefix(prefix): one["Properties"]
        for one in resources(templates(stage)[part], ALARM).values()
    }


def test_every_alarm_tells_somebody_what_to_do_also_when_it_is_over() -> None:
    [(topic, made)] = resources(_stack(), "AWS::SNS::Topic").items()
    for part in WATCHING:
        for name, alarm in _alarms_of(part).items():
            [action] = alarm["AlarmActions"]
            if part == "observability":
                assert action == {"Ref": topic}, name
            else:  # by name: it is made later
                assert action["Fn::Join"][1][-1] == f":{made['Properties']['TopicName']}", name
            assert alarm["OKActions"] == [action], name
            assert " First: " in alarm["AlarmDescription"], name


@pytest.mark.parametrize("stage", load_stages())
@pytest.mark.parametrize("part", ["fleet", "network"])
def test_what_may_go_away_is_exported_to_nobody(part: str, stage: str) -> None:
    """An engine, or one of several NAT gateways: an export in use can't be taken back."""
    template = templates(stage)[part]
    kinds = ("AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::EC2::NatGateway", ALARM)
    passing = resources(template, *kinds)
    assert passing
    exported = [one["Value"] for one in template["Outputs"].values() if "Export" in one]
    assert exported
    assert not [value for value in exported for name in passing if f'"{name}"' in json.dumps(value)]


@pytest.mark.parametrize("stage", load_stages())
def test_every_engine_is_watched(stage: str) -> None:
    engines = Deployment.read(stage).fleet.engines
    watched = _alarms_of("fleet", stage=stage)
    assert {name for name in watched if name.endswith("-unhealthy-hosts")} == {
        f"{name}-unhealthy-hosts" for name in engines
    }


def test_the_dashboard_shows_the_state_of_every_alarm() -> None:
    [dashboard] = resources(_stack(), "AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    shown = set(re.findall(r":alarm:llmo-dev-alarm-([\w-]+)", body))
    assert shown == set(_alarms())


def test_silence_is_no_breach() -> None:
    """Nothing that is watched writes while nobody asks, or while the stage is paused."""
    assert {one["TreatMissingData"] for one in _alarms().values()} == {"notBreaching"}


def test_what_lives_outside_the_cluster_is_watched() -> None:
    assert set(_alarms()) >= {
        "api-5xx-ratio",
        "api-latency-p99",
        "gateway-errors",
        "gateway-throttles",
        "gateway-duration",
        "authorizer-errors",
        "authorizer-duration",
        "key-expiry-errors",
        "keys-expiring",
        "spot-reclaims",
        "events-undelivered",
        "table-keys-throttles",
        "table-routing-errors",
        "table-audit-throttles",
        "runs-failed",
        "balancer-5xx",
        "mistral-7b-awq-unhealthy-hosts",
        "engines-5xx",
        "collector-unhealthy-hosts",
        "nat-1-ports",
        "firewall-blocks",
    }


def test_a_stage_has_an_alarm_for_each_nat_gateway() -> None:
    for name, stage in load_stages().items():
        nats = [one for one in _alarms(name) if one.startswith("nat-")]
        assert len(nats) == stage.nat_gateways


def test_a_stage_with_endpoints_watches_every_production_variant_of_them() -> None:
    for name, stage in load_stages().items():
        deployed = Deployment.read(name)
        expected = {
            (names.endpoint(stage, endpoint), variant)
            for endpoint, entry in deployed.endpoints.items()
            for variant in entry.variants
        }
        watched = {
            tuple(one["Value"] for one in alarm["Dimensions"])
            for alarm in _alarms(name).values()
            if alarm.get("Namespace") == "AWS/SageMaker"
        }
        assert watched == (expected if stage.sagemaker else set())


def test_one_failure_at_night_is_no_outage() -> None:
    metrics = _alarms()["api-5xx-ratio"]["Metrics"]
    [expression] = [one["Expression"] for one in metrics if "Expression" in one]
    assert expression == "IF(requests >= 20, 100 * failures / requests, 0)"


def test_an_alarm_comes_before_the_integration_gives_up() -> None:
    timeout_ms = load_stages()["dev"].integration_timeout_s * 1000
    assert _alarms()["api-latency-p99"]["Threshold"] < timeout_ms
    assert _alarms()["gateway-duration"]["Threshold"] < timeout_ms


def test_the_topic_is_encrypted_with_a_key_that_cloudwatch_may_use() -> None:
    [topic] = resources(_stack(), "AWS::SNS::Topic").values()
    [(key_id, key)] = resources(_stack(), "AWS::KMS::Key").items()
    assert topic["Properties"]["KmsMasterKeyId"] == {"Fn::GetAtt": [key_id, "Arn"]}
    assert key["Properties"]["EnableKeyRotation"] is True
    services = [
        statement["Principal"].get("Service")
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
    ]
    assert "cloudwatch.amazonaws.com" in services


def test_nobody_publishes_without_tls() -> None:
    [policy] = resources(_stack(), "AWS::SNS::TopicPolicy").values()
    denied = [
        one
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if one["Effect"] == "Deny"
    ]
    assert [one["Condition"] for one in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_roles_of_pods_reach_one_resource_each() -> None:
    for policy in resources(_stack(), "AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Resource"] != "*"
            assert "*" not in str(statement["Action"])


def test_the_collector_is_reached_by_its_host_for_traces_only() -> None:
    [rule] = resources(_stack(), "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    conditions = {one["Field"]: one for one in rule["Properties"]["Conditions"]}
    assert conditions["host-header"]["HostHeaderConfig"] == {"Values": ["otel.dev.llmo.internal"]}
    assert conditions["path-pattern"]["PathPatternConfig"] == {"Values": ["/v1/traces"]}


def test_the_load_balancer_may_reach_the_collector_and_be_answered() -> None:
    for kind in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
        ports = {one["Properties"]["FromPort"] for one in resources(_stack(), kind).values()}
        assert ports == {4318, 13133}


def test_nobody_is_mailed_who_did_not_ask() -> None:
    mailed = resources(_stack(), "AWS::SNS::Subscription")
    assert bool(mailed) == (load_stages()["dev"].alarms is not None)
