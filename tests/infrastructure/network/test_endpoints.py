"""What functions without a way out call is there, and takes nothing to other accounts."""

import ast
import json
from typing import Any, Final

import pytest

from cdk.stages import load_stage
from tests.support.synth import ROOT, STAGES, resources, templates

GATEWAY: Final = ROOT / "api/chalicelib"
SERVICES: Final = {
    "dynamodb": "dynamodb",
    "sagemaker": "sagemaker.api",
    "sagemaker-runtime": "sagemaker.runtime",
    "secretsmanager": "secretsmanager",
}
"""By the gateway's word for a service: that of its endpoint."""
OWN: Final = {"Ref": "AWS::AccountId"}


def endpoints(stage: str, kind: str) -> list[dict[str, Any]]:
    found = resources(templates(stage)["network"], "AWS::EC2::VPCEndpoint").values()
    return [one["Properties"] for one in found if one["Properties"]["VpcEndpointType"] == kind]


def service(endpoint: dict[str, Any]) -> str:
    """Without `com.amazonaws.<region>.`"""
    name = endpoint["ServiceName"]
    parts = [name] if isinstance(name, str) else name["Fn::Join"][1]
    whole = "".join(part if isinstance(part, str) else "region" for part in parts)
    return whole.split(".", 3)[3]


def called() -> set[str]:
    """First argument of `aws.call(…)` and `aws.send(…)`, wherever the gateway has one."""
    return {
        call.args[0].value
        for file in GATEWAY.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"call", "send"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and call.args[0].value in SERVICES
    }


@pytest.mark.parametrize("stage", STAGES)
def test_every_service_that_the_gateway_calls_has_an_endpoint(stage: str) -> None:
    """It has no other way to them: a call would hang until its time is over."""
    there = {service(one) for kind in ("Interface", "Gateway") for one in endpoints(stage, kind)}
    assert {"dynamodb", "secretsmanager", "sagemaker-runtime"} <= called()
    assert {SERVICES[one] for one in called()} <= there


@pytest.mark.parametrize("stage", STAGES)
def test_endpoints_are_in_as_many_zones_as_nat(stage: str) -> None:
    """Both bill by zone and hour."""
    for one in endpoints(stage, "Interface"):
        assert len(one["SubnetIds"]) == load_stage(stage).nat_gateways
        assert one["PrivateDnsEnabled"] is True


@pytest.mark.parametrize("stage", STAGES)
def test_interfaces_pass_named_actions_of_this_account_only(stage: str) -> None:
    for one in endpoints(stage, "Interface"):
        (statement,) = one["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Allow"
        assert "*" not in json.dumps(statement["Action"])
        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": OWN}}


def s3_of(stage: str, subnets: str) -> list[dict[str, Any]]:
    """Statements of the policy on the way that these subnets have to S3."""
    routes = {name for name in templates(stage)["network"]["Resources"] if subnets in name}
    (found,) = (
        one["PolicyDocument"]["Statement"]
        for one in endpoints(stage, "Gateway")
        if service(one) == "s3" and any(table["Ref"] in routes for table in one["RouteTableIds"])
    )
    assert isinstance(found, list)
    return found


def listed(value: Any) -> list[Any]:  # noqa: ANN401  (CloudFormation)
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("stage", STAGES)
def test_functions_reach_no_bucket_of_others(stage: str) -> None:
    (statement,) = s3_of(stage, "functionsSubnet")
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceAccount": OWN}}


@pytest.mark.parametrize("stage", STAGES)
def test_pods_carry_nothing_into_buckets_of_others(stage: str) -> None:
    """But they read image layers there, and what applies manifests answers CloudFormation."""
    own, *others = s3_of(stage, "privateSubnet")
    assert own["Condition"] == {"StringEquals": {"aws:ResourceAccount": OWN}}
    passed = {
        json.dumps(resource).rsplit(":::", 1)[-1].rstrip('"]}'): one["Action"]
        for one in others
        for resource in listed(one["Resource"])
    }
    assert passed == {
        "prod-us-west-2-starport-layer-bucket/*": "s3:GetObject",
        "prod-registry-k8s-io-us-west-2/*": "s3:GetObject",
        "cloudformation-custom-resource-response-uswest2/*": "s3:PutObject",
    }
    assert {one["Effect"] for one in (own, *others)} == {"Allow"}


@pytest.mark.parametrize("stage", STAGES)
def test_tables_of_other_stages_are_out_of_reach(stage: str) -> None:
    (one,) = (one for one in endpoints(stage, "Gateway") if service(one) == "dynamodb")
    (statement,) = one["PolicyDocument"]["Statement"]
    assert json.dumps(statement["Resource"]).count(f":table/llmo-{stage}-*") == 1


@pytest.mark.parametrize("stage", STAGES)
def test_who_may_connect_to_an_endpoint(stage: str) -> None:
    """Pods read secrets as well, with addresses of the network; SageMaker only functions call."""
    template = templates(stage)["network"]
    groups = resources(template, "AWS::EC2::SecurityGroup")
    by_service = {
        service(one): groups[one["SecurityGroupIds"][0]["Fn::GetAtt"][0]]["Properties"]
        for one in endpoints(stage, "Interface")
    }
    (secrets,) = by_service["secretsmanager"]["SecurityGroupIngress"]
    assert (secrets["CidrIp"], secrets["ToPort"]) == (load_stage(stage).cidr, 443)
    assert "SecurityGroupIngress" not in by_service["sagemaker.runtime"]
