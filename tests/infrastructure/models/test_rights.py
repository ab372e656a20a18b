"""What SageMaker may do for an endpoint, statement by statement."""

import json
from typing import Any, Final

import pytest

from tests.support.synth import Template, resources, templates

NO_RESOURCE_LEVEL: Final = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
}
ALL: Final = NO_RESOURCE_LEVEL | {
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
}


@pytest.fixture(scope="module")
def models() -> Template:
    return templates("staging")["models"]


def listed(value: Any) -> list[Any]:  # noqa: ANN401  (IAM takes one or many)
    return value if isinstance(value, list) else [value]


def policies(template: Template) -> list[list[dict[str, Any]]]:
    """Statements of each endpoint's role, in the endpoints' order."""
    return [
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in resources(template, "AWS::IAM::Policy").values()
    ]


def statement(statements: list[dict[str, Any]], action: str) -> dict[str, Any]:
    (found,) = [one for one in statements if action in listed(one["Action"])]
    return found


def test_each_endpoint_has_a_role_of_its_own_that_only_sagemaker_takes(models: Template) -> None:
    roles = resources(models, "AWS::IAM::Role")
    assert len(roles) == 3
    for role in roles.values():
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"}
        }
        assert "ManagedPolicyArns" not in role["Properties"]


def test_no_role_may_do_anything_else(models: Template) -> None:
    for statements in policies(models):
        assert {action for one in statements for action in listed(one["Action"])} == ALL


def test_everything_is_named_where_iam_can_name_it(models: Template) -> None:
    for statements in policies(models):
        for one in statements:
            if "*" in listed(one["Resource"]):
                assert set(listed(one["Action"])) <= NO_RESOURCE_LEVEL


def test_only_the_endpoint_with_adapters_reads_adapters(models: Template) -> None:
    read = [json.dumps(statement(one, "s3:GetObject")["Resource"]) for one in policies(models)]
    assert ["adapters/" in one for one in read] == [False, True, False]
    assert all("/models/TheBloke/Mistral-7B-Instruct-v0.2-AWQ/main/*" in one for one in read)


def test_the_bucket_is_listed_where_it_is_read_only(models: Template) -> None:
    for one in policies(models):
        prefixes = statement(one, "s3:ListBucket")["Condition"]["StringLike"]["s3:prefix"]
        assert all(prefix.startswith(("models/", "adapters/")) for prefix in listed(prefixes))


def test_the_image_is_pulled_from_awss_own_repository(models: Template) -> None:
    for one in policies(models):
        pulled = json.dumps(statement(one, "ecr:BatchGetImage")["Resource"])
        assert ":ecr:us-west-2:763104351884:repository/vllm" in pulled


def test_interfaces_are_made_in_our_subnets_and_changed_in_our_network_only(
    models: Template,
) -> None:
    for one in policies(models):
        made = statement(one, "ec2:CreateNetworkInterface")["Resource"]
        kinds = [json.dumps(place).split("AccountId")[1] for place in made]
        assert sum(":subnet/" in kind for kind in kinds) == 3
        assert sum(":security-group/" in kind for kind in kinds) == 1
        changed = statement(one, "ec2:DeleteNetworkInterface")
        assert list(changed["Condition"]["ArnEquals"]) == ["ec2:Vpc"]


def test_logs_are_kept_as_long_as_the_stage_says(models: Template) -> None:
    groups = [one["Properties"] for one in resources(models, "AWS::Logs::LogGroup").values()]
    assert {group["LogGroupName"] for group in groups} == {
        "/aws/sagemaker/Endpoints/llmo-staging-quant-endpoint",
        "/aws/sagemaker/Endpoints/llmo-staging-finetune-endpoint",
        "/aws/sagemaker/Endpoints/llmo-staging-eval-endpoint",
        "/aws/sagemaker/InferenceComponents/llmo-staging-mistral-7b-lora",
        "/aws/sagemaker/InferenceComponents/llmo-staging-lora-v1",
        "/aws/sagemaker/InferenceComponents/llmo-staging-lora-v2",
    }
    assert {group["RetentionInDays"] for group in groups} == {30}
