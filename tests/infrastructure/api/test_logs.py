"""What is written down of a request: that it was, not what it said."""

import json
import re
from typing import Any

import pytest

from cdk.deployment import Deployment
from tests.support.deployed_api import api, functions
from tests.support.synth import STAGES, resources, templates


def log_group(stage: str, reference: dict[str, Any]) -> dict[str, Any]:
    """What a function or stage writes to."""
    logical_id = reference["Ref"] if "Ref" in reference else reference["Fn::GetAtt"][0]
    group: dict[str, Any] = templates(stage)["api"]["Resources"][logical_id]
    assert group["Type"] == "AWS::Logs::LogGroup"
    properties: dict[str, Any] = group["Properties"]
    return properties


@pytest.mark.parametrize("stage", STAGES)
def test_every_log_is_kept_as_long_as_the_stage_says(stage: str) -> None:
    groups = resources(templates(stage)["api"], "AWS::Logs::LogGroup")
    names = {
        group["Properties"]["LogGroupName"]: group["Properties"]["RetentionInDays"]
        for group in groups.values()
    }
    days = Deployment.read(stage).stage.log_retention_days
    assert names == dict.fromkeys(
        (
            f"/aws/lambda/llmo-{stage}-authorizer",
            f"/aws/lambda/llmo-{stage}-gateway",
            f"/aws/lambda/llmo-{stage}-key-expiry",
            f"/llmo/{stage}/api-access",
            f"aws-waf-logs-llmo-{stage}-api",
        ),
        days,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_function_writes_to_its_own_group(stage: str) -> None:
    for part, function in functions(stage).items():
        group = log_group(stage, function["LoggingConfig"]["LogGroup"])
        assert group["LogGroupName"] == f"/aws/lambda/llmo-{stage}-{part}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_request_leaves_a_json_line(stage: str) -> None:
    setting = api(stage)["AccessLogSetting"]
    line = json.loads(setting["Format"])
    assert {"request_id", "key_id", "route", "status", "latency_ms", "address"} <= line.keys()
    assert line["request_id"] == "$context.requestId"
    group = log_group(stage, setting["DestinationArn"])
    assert group["LogGroupName"] == f"/llmo/{stage}/api-access"


@pytest.mark.parametrize("stage", STAGES)
def test_the_line_holds_neither_key_nor_prompt(stage: str) -> None:
    """Variables of the context only; the path's pattern, as the path may hold what callers write;
    of the authorizer only the key's id.
    """
    line = json.loads(api(stage)["AccessLogSetting"]["Format"])
    assert all(re.fullmatch(r"\$context(\.\w+)+", value) for value in line.values())
    told = " ".join(line.values()).lower()
    assert not re.search(r"header|body|querystring|\.path\b|authorization|\.error\.message", told)
    assert set(re.findall(r"authorizer\.(\w+)", told)) == {"key_id", "latency"}


@pytest.mark.parametrize("stage", STAGES)
def test_api_gateway_logs_no_execution(stage: str) -> None:
    """That log would hold whole requests and answers."""
    (settings,) = api(stage)["MethodSettings"]
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)
    assert api(stage)["TracingEnabled"] is False


@pytest.mark.parametrize("stage", STAGES)
def test_the_accounts_setting_outlives_the_stage(stage: str) -> None:
    """It is one for all APIs of the account: a stage that goes must not silence another."""
    template = templates(stage)["api"]
    ((name, account),) = resources(template, "AWS::ApiGateway::Account").items()
    role = template["Resources"][account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]]
    for kept in (account, role):
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("Retain", "Retain")
    (dependent,) = resources(template, "AWS::Serverless::Api").values()
    assert name in dependent["DependsOn"]
