"""What the stack asks of AWS: alarms, where they go, and the collector's way in."""

from functools import cache
from typing import Any

from cdk import names
from cdk.deployment import Deployment
from cdk.stages import load_stages
from tests.support.synth import resources, templates

ALARM = "AWS::CloudWatch::Alarm"


@cache
def _stack(stage: str = "dev", *context: str) -> dict[str, Any]:
    return templates(stage, *context)["observability"]


def _alarms(stage: str = "dev") -> dict[str, dict[str, Any]]:
    prefix = f"llmo-{stage}-alarm-"
    return {
        one["Properties"]["AlarmName"].removeprefix(prefix): one["Properties"]
        for one in resources(_stack(stage), ALARM).values()
    }


def test_every_alarm_tells_somebody_what_to_do_also_when_it_is_over() -> None:
    [topic] = resources(_stack(), "AWS::SNS::Topic")
    for name, alarm in _alarms().items():
        assert alarm["AlarmActions"] == [{"Ref": topic}], name
        assert alarm["OKActions"] == [{"Ref": topic}], name
        assert " First: " in alarm["AlarmDescription"], name


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
    [record] = resources(_stack(), "AWS::Route53::RecordSet").values()
    assert record["Properties"]["Name"] == "otel.dev.llmo.internal."


def test_the_load_balancer_may_reach_the_collector_and_be_answered() -> None:
    for kind in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
        ports = {one["Properties"]["FromPort"] for one in resources(_stack(), kind).values()}
        assert ports == {4318, 13133}


def test_nobody_is_mailed_who_did_not_ask() -> None:
    mailed = resources(_stack(), "AWS::SNS::Subscription")
    assert bool(mailed) == (load_stages()["dev"].alarms is not None)
