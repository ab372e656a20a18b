"""Rules on AWS's own events: which they match, who is told, and by what right."""

import json
import re
from typing import Any, Final

import pytest

from cdk import names
from cdk.deployment import Deployment
from cdk.stages import load_stages
from tests.support.synth import STAGES, resources, templates

Event = dict[str, Any]

HEALTH: Final[Event] = {
    "detail-type": "AWS Health Event",
    "source": "aws.health",
    "account": "123456789012",
    "region": "us-west-2",
    "resources": ["i-abcd1111"],
    "detail": {
        "eventArn": "arn:aws:health:us-west-2::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/1",
        "service": "EC2",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "statusCode": "open",
        "eventRegion": "us-west-2",
    },
}
SPOT: Final[Event] = {
    "detail-type": "EC2 Spot Instance Interruption Warning",
    "source": "aws.ec2",
    "account": "123456789012",
    "region": "us-west-2",
    "resources": ["arn:aws:ec2:us-west-2a:instance/i-1234567890abcdef0"],
    "detail": {"instance-id": "i-1234567890abcdef0", "instance-action": "terminate"},
}
ENDPOINT: Final[Event] = {
    "detail-type": "SageMaker Endpoint State Change",
    "source": "aws.sagemaker",
    "account": "123456789012",
    "region": "us-west-2",
    "resources": ["arn:aws:sagemaker:us-west-2:123456789012:endpoint/llmo-staging-eval-endpoint"],
    "detail": {
        "EndpointName": "llmo-staging-eval-endpoint",
        "EndpointStatus": "FAILED",
        "Tags": {},
    },
}


def matches(pattern: Event, event: Event) -> bool:
    """As EventBridge does where a pattern names values only."""
    return all(
        name in event
        and (matches(wanted, event[name]) if isinstance(wanted, dict) else event[name] in wanted)
        for name, wanted in pattern.items()
    )


def rules(stage: str) -> dict[str, Event]:
    """By name, without what all have in front."""
    found = resources(templates(stage)["observability"], "AWS::Events::Rule").values()
    prefix = f"llmo-{stage}-event-"
    return {rule["Properties"]["Name"].removeprefix(prefix): rule["Properties"] for rule in found}


def matched(event: Event, **detail: str) -> set[str]:
    changed = {**event, "detail": {**event["detail"], **detail}}
    return {
        name for name, rule in rules("staging").items() if matches(rule["EventPattern"], changed)
    }


def test_each_event_is_matched_by_the_rule_for_it() -> None:
    assert matched(HEALTH) == {"health"}
    assert matched(SPOT) == {"spot-interrupted"}
    assert matched(ENDPOINT) == {"endpoint-failed"}


@pytest.mark.parametrize("category", ["issue", "investigation", "scheduledChange"])
@pytest.mark.parametrize("service", ["EKS", "SAGEMAKER", "LAMBDA"])
def test_what_may_explain_a_fault_is_told(service: str, category: str) -> None:
    assert matched(HEALTH, service=service, eventTypeCategory=category) == {"health"}


@pytest.mark.parametrize(
    "other",
    [
        {"service": "WORKMAIL"},
        {"eventTypeCategory": "accountNotification"},
        {"eventRegion": "eu-central-1"},  # us-west-2 gets copies of other regions' events
    ],
)
def test_other_news_of_aws_is_not_told(other: dict[str, str]) -> None:
    assert matched(HEALTH, **other) == set()


@pytest.mark.parametrize("status", ["IN_SERVICE", "CREATING", "UPDATING", "DELETING"])
def test_an_endpoint_that_comes_or_goes_is_no_failure(status: str) -> None:
    assert matched(ENDPOINT, EndpointStatus=status) == set()


def test_another_stages_endpoint_is_not_ours() -> None:
    assert matched(ENDPOINT, EndpointName="llmo-prod-eval-endpoint") == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_endpoint_of_the_stage_is_watched(stage: str) -> None:
    deployment = Deployment.read(stage)
    found = rules(stage)
    assert ("endpoint-failed" in found) == deployment.stage.sagemaker
    if deployment.stage.sagemaker:
        assert set(found["endpoint-failed"]["EventPattern"]["detail"]["EndpointName"]) == {
            names.endpoint(deployment.stage, name) for name in deployment.endpoints
        }


@pytest.mark.parametrize("stage", STAGES)
def test_a_mail_names_only_what_it_takes_from_the_event(stage: str) -> None:
    """EventBridge would mail the placeholder itself."""
    for name, rule in rules(stage).items():
        for target in rule.get("Targets", []):
            transformed = target["InputTransformer"]
            text = json.loads(transformed["InputTemplate"])
            assert set(re.findall(r"<(\w+)>", text)) == set(transformed["InputPathsMap"]), name
            assert " First: " in text, name
    example = {"health": HEALTH, "endpoint-failed": ENDPOINT}
    for name, event in example.items():
        for target in rules("staging")[name]["Targets"]:
            for path in target["InputTransformer"]["InputPathsMap"].values():
                assert path.removeprefix("$.detail.") in event["detail"]


def test_a_reclaimed_machine_is_counted_and_not_mailed() -> None:
    """The cluster deals with one: only many in an hour are somebody's business."""
    for stage, described in load_stages().items():
        rule = rules(stage)["spot-interrupted"]
        assert "Targets" not in rule
        alarm = properties(stage, "spot-reclaims")
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Events", "MatchedEvents")
        assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": rule["Name"]}]
        assert (alarm["Threshold"], alarm["Period"]) == (described.gpu.limit, 3600)


@pytest.mark.parametrize("stage", STAGES)
def test_an_event_that_could_not_be_told_is_an_alarm(stage: str) -> None:
    watched = {
        dimension["Value"]
        for one in properties(stage, "events-undelivered")["Metrics"]
        if "MetricStat" in one
        for dimension in one["MetricStat"]["Metric"]["Dimensions"]
    }
    assert watched == {rule["Name"] for rule in rules(stage).values() if "Targets" in rule}


def test_rules_publish_by_a_role_that_only_they_may_take() -> None:
    template = templates("staging")["observability"]
    [topic] = resources(template, "AWS::SNS::Topic")
    roles = set()
    for rule in rules("staging").values():
        for target in rule.get("Targets", []):
            assert target["Arn"] == {"Ref": topic}
            roles.add(target["RoleArn"]["Fn::GetAtt"][0])
    [role] = roles
    [trust] = template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = json.dumps(trust["Condition"]["ArnLike"]["aws:SourceArn"])
    assert ":rule/llmo-staging-event-*" in source
    allowed = [
        (statement["Action"], statement["Resource"])
        for policy in resources(template, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    [key] = resources(template, "AWS::KMS::Key")
    assert allowed == [
        ("sns:Publish", {"Ref": topic}),
        (["kms:Decrypt", "kms:GenerateDataKey"], {"Fn::GetAtt": [key, "Arn"]}),
    ]


def test_the_topic_itself_lets_no_rule_in() -> None:
    """A topic's policy can't tell EventBridge's rules of one account from those of another."""
    template = templates("staging")["observability"]
    for policy in resources(template, "AWS::SNS::TopicPolicy", "AWS::KMS::Key").values():
        assert "events.amazonaws.com" not in json.dumps(policy)


def properties(stage: str, name: str) -> dict[str, Any]:
    alarms = resources(templates(stage)["observability"], "AWS::CloudWatch::Alarm")
    (found,) = (
        one["Properties"]
        for one in alarms.values()
        if one["Properties"]["AlarmName"] == f"llmo-{stage}-alarm-{name}"
    )
    return dict(found)
