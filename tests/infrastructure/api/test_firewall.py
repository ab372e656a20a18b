"""What is stopped in front of the API, and that prompts are not."""

import json
import re
from typing import Any

import pytest

from cdk.deployment import Deployment
from tests.support.deployed_api import methods
from tests.support.synth import STAGES, resources, templates


def acl(stage: str) -> dict[str, Any]:
    (found,) = resources(templates(stage)["api"], "AWS::WAFv2::WebACL").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def managed(stage: str) -> dict[str, dict[str, str]]:
    """By rule group: what is done to a rule instead of what AWS says."""
    groups = [
        rule["Statement"]["ManagedRuleGroupStatement"]
        for rule in acl(stage)["Rules"]
        if "ManagedRuleGroupStatement" in rule["Statement"]
    ]
    return {
        group["Name"]: {
            override["Name"]: next(iter(override["ActionToUse"]))
            for override in group["RuleActionOverrides"]
        }
        for group in groups
    }


@pytest.mark.parametrize("stage", STAGES)
def test_it_stands_before_the_stage(stage: str) -> None:
    template = templates(stage)["api"]
    (association,) = resources(template, "AWS::WAFv2::WebACLAssociation").values()
    (name,) = resources(template, "AWS::WAFv2::WebACL")
    assert association["Properties"]["WebACLArn"] == {"Fn::GetAtt": [name, "Arn"]}
    parts = association["Properties"]["ResourceArn"]["Fn::Join"][1]
    assert parts[-3:] == [{"Ref": "RestAPI"}, "/stages/", {"Ref": "RestAPI.Stage"}]
    assert acl(stage)["Scope"] == "REGIONAL"


@pytest.mark.parametrize("stage", STAGES)
def test_known_attacks_are_stopped_but_no_body(stage: str) -> None:
    """A prompt may be long, and about markup, shells or exploits."""
    assert set(managed(stage)) == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    }
    assert managed(stage)["AWSManagedRulesCommonRuleSet"]["SizeRestrictions_BODY"] == "Count"
    assert "ReactJSRCE_BODY" in managed(stage)["AWSManagedRulesKnownBadInputsRuleSet"]
    overrides = [item for group in managed(stage).values() for item in group.items()]
    assert all(rule.endswith("_BODY") and action == "Count" for rule, action in overrides)
    groups = [rule for rule in acl(stage)["Rules"] if "OverrideAction" in rule]
    assert [rule["OverrideAction"] for rule in groups] == [{"None": {}}] * 2


@pytest.mark.parametrize("stage", STAGES)
def test_one_address_is_limited_and_told_so_as_the_api_tells(stage: str) -> None:
    rules = rated(stage)
    share = Deployment.read(stage).stage.throttle.rate * 300 // 4
    assert {name: of["Limit"] for name, (of, _) in rules.items()} == {
        "RatePerAddress": share,
        "OpenRatePerAddress": 300,
    }
    assert {of["EvaluationWindowSec"] for of, _ in rules.values()} == {300}
    assert {of["AggregateKeyType"] for of, _ in rules.values()} == {"IP"}
    for _, rule in rules.values():
        tells_as_the_api(stage, rule)


def rated(stage: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By name: the statement, and its rule."""
    return {
        one["Name"]: (one["Statement"]["RateBasedStatement"], one)
        for one in acl(stage)["Rules"]
        if "RateBasedStatement" in one["Statement"]
    }


def tells_as_the_api(stage: str, rule: dict[str, Any]) -> None:
    response = rule["Action"]["Block"]["CustomResponse"]
    assert response["ResponseCode"] == 429
    assert response["ResponseHeaders"] == [{"Name": "Retry-After", "Value": "60"}]
    body = acl(stage)["CustomResponseBodies"][response["CustomResponseBodyKey"]]
    assert body["ContentType"] == "APPLICATION_JSON"
    error = json.loads(body["Content"])["error"]
    assert set(error) == {"message", "type", "code", "param", "correlation_id"}
    assert error["code"] == "rate_limited"


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_open_to_all_is_limited_much_more(stage: str) -> None:
    """Every route without an authorizer, by API Gateway's name and by ours, and no other."""
    of, _ = rated(stage)["OpenRatePerAddress"]
    scope = of["ScopeDownStatement"]["RegexMatchStatement"]
    assert scope["FieldToMatch"] == {"UriPath": {}}
    assert "ScopeDownStatement" not in rated(stage)["RatePerAddress"][0]
    limited = re.compile(scope["RegexString"])
    for method in methods(stage):
        is_open = "security" not in method.described and method.verb != "OPTIONS"
        for path in (method.path, f"/{stage}{method.path}", f"/{stage}{method.path}/"):
            assert bool(limited.search(path)) == is_open, path


def test_stages_of_one_account_are_told_apart() -> None:
    metrics = {acl(stage)["VisibilityConfig"]["MetricName"] for stage in STAGES}
    assert metrics == {f"llmo-{stage}-api" for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_its_alarm_watches_the_metric_that_it_writes(stage: str) -> None:
    alarms = resources(templates(stage)["observability"], "AWS::CloudWatch::Alarm").values()
    (alarm,) = (one for one in alarms if one["Properties"].get("Namespace") == "AWS/WAFV2")
    dimensions = {one["Name"]: one["Value"] for one in alarm["Properties"]["Dimensions"]}
    assert dimensions["WebACL"] == acl(stage)["VisibilityConfig"]["MetricName"]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_rule_matched_of_a_prompt_or_a_key_is_kept_nowhere(stage: str) -> None:
    protected = acl(stage)["DataProtectionConfig"]["DataProtections"]
    assert {one["Action"] for one in protected} == {"SUBSTITUTION"}
    assert [one["Field"] for one in protected] == [
        {"FieldType": "BODY"},
        {"FieldType": "SINGLE_HEADER", "FieldKeys": ["authorization"]},
    ]
    assert not any(one.get("ExcludeRuleMatchDetails") for one in protected)


@pytest.mark.parametrize("stage", STAGES)
def test_rules_have_an_order(stage: str) -> None:
    assert [rule["Priority"] for rule in acl(stage)["Rules"]] == [0, 1, 2, 3]


@pytest.mark.parametrize("stage", STAGES)
def test_what_it_stops_is_logged_without_the_key(stage: str) -> None:
    template = templates(stage)["api"]
    (logging,) = resources(template, "AWS::WAFv2::LoggingConfiguration").values()
    properties = logging["Properties"]
    assert properties["RedactedFields"] == [{"SingleHeader": {"Name": "authorization"}}]
    (kept,) = properties["LoggingFilter"]["Filters"]
    assert properties["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert {one["ActionCondition"]["Action"] for one in kept["Conditions"]} == {"BLOCK", "COUNT"}
    (group,) = properties["LogDestinationConfigs"]
    name = template["Resources"][group["Fn::GetAtt"][0]]["Properties"]["LogGroupName"]
    assert name.startswith("aws-waf-logs-")  # others are refused


@pytest.mark.parametrize("stage", STAGES)
def test_it_keeps_no_sample_of_requests(stage: str) -> None:
    """A sample would hold the key: it is not redacted there."""
    told = [acl(stage), *acl(stage)["Rules"]]
    assert {one["VisibilityConfig"]["SampledRequestsEnabled"] for one in told} == {False}
