"""The data stack's template, created by CloudFormation's stand-in: the resources are really there.

What the stand-in can't make is left out, each kind for a reason; secrets are then made by their own
API, which takes the template's words. Of buckets it makes name, encryption and tags; their other
settings are the template's to prove.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.parsing import get_model_map

from cdk.stages import load_stage
from tests.support.local_aws import LocalAws
from tests.support.synth import Template, resources, templates

UNKNOWN: Final = "the stand-in's CloudFormation doesn't know it"
LEFT_OUT: Final[Mapping[str, str]] = {
    "AWS::S3::BucketPolicy": UNKNOWN,
    "AWS::SecretsManager::Secret": UNKNOWN,
    "AWS::Lambda::Function": "empties buckets; its code is a file that nobody uploaded",
    "Custom::S3AutoDeleteObjects": "would call that function, in Docker",
}
BOOTSTRAP: Final = "/cdk-bootstrap/hnb659fds/version"
KINDS: Final = ("keys", "routing", "audit")


@dataclass(frozen=True, kw_only=True)
class Created:
    aws: LocalAws
    stage: str
    physical: Mapping[str, str]
    """By logical id."""


@pytest.fixture(scope="module", params=["dev", "prod"])
def created(request: pytest.FixtureRequest, aws: LocalAws) -> Iterator[Created]:
    stage = str(request.param)
    with (
        _role(aws, f"llmo-{stage}-deploy"),
        _stack(aws, stage) as physical,
        _secrets(aws, templates(stage)["data"]),
    ):
        yield Created(aws=aws, stage=stage, physical=physical)


@contextmanager
def _role(aws: LocalAws, name: str) -> Iterator[None]:
    """Of the stack that comes before: this one gives it a right."""
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    yield
    aws.client("iam").delete_role(RoleName=name)


@contextmanager
def _stack(aws: LocalAws, stage: str) -> Iterator[Mapping[str, str]]:
    name = f"llmo-{stage}-data"
    aws.client("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String", Overwrite=True)
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(_makeable(templates(stage)["data"])),
        Capabilities=["CAPABILITY_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    made = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    yield {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}
    for table in KINDS:  # the stand-in guards them too
        aws.client("dynamodb").update_table(
            TableName=f"llmo-{stage}-{table}", DeletionProtectionEnabled=False
        )
    cloudformation.delete_stack(StackName=name)


def _makeable(template: Template) -> Template:
    """The stand-in wants a parameter's tags as a list; CloudFormation, and CDK, as a mapping."""
    made = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] not in LEFT_OUT
    }
    for name, resource in resources(template, "AWS::SSM::Parameter").items():
        kept = {key: value for key, value in resource["Properties"].items() if key != "Tags"}
        made[name] = {**resource, "Properties": kept}
    gone = set(template["Resources"]) - set(made)
    outputs = {
        name: output
        for name, output in template.get("Outputs", {}).items()
        if not any(f'"{one}"' in json.dumps(output) for one in gone)
    }
    return {**template, "Resources": made, "Outputs": outputs}


@contextmanager
def _secrets(aws: LocalAws, template: Template) -> Iterator[None]:
    store = aws.client("secretsmanager")
    properties = [
        one["Properties"] for one in resources(template, "AWS::SecretsManager::Secret").values()
    ]
    for one in properties:
        value = {}
        if rules := one.get("GenerateSecretString"):
            value["SecretString"] = store.get_random_password(**rules)["RandomPassword"]
        store.create_secret(Name=one["Name"], Description=one["Description"], **value)
    yield
    for one in properties:
        store.delete_secret(SecretId=one["Name"], ForceDeleteWithoutRecovery=True)


def test_everything_else_was_made(created: Created) -> None:
    template = templates(created.stage)["data"]
    left_out = resources(template, *LEFT_OUT)
    assert set(created.physical) == set(template["Resources"]) - set(left_out)


def test_nothing_is_left_out_that_could_be_made() -> None:
    assert not set(get_model_map()) & {kind for kind, why in LEFT_OUT.items() if why == UNKNOWN}


def test_tables_are_those_of_the_local_stack(created: Created) -> None:
    """Names and protection apart, which is what a deployment decides."""
    local = created.aws.tables()
    for kind in KINDS:
        deployed = _table(created.aws, f"llmo-{created.stage}-{kind}")
        assert deployed == _table(created.aws, local[f"{kind.upper()}_TABLE"])


def _table(aws: LocalAws, name: str) -> dict[str, Any]:
    table = aws.client("dynamodb").describe_table(TableName=name)["Table"]
    own = {"TableName", "TableArn", "TableId", "CreationDateTime", "DeletionProtectionEnabled"}
    return {key: value for key, value in table.items() if key not in own}


def test_tables_are_protected_where_the_stage_keeps_its_data(created: Created) -> None:
    database = created.aws.client("dynamodb")
    for kind in KINDS:
        table = database.describe_table(TableName=f"llmo-{created.stage}-{kind}")["Table"]
        kept = load_stage(created.stage).removal == "retain"
        assert table["DeletionProtectionEnabled"] is kept


def test_buckets_are_encrypted(created: Created) -> None:
    store = created.aws.client("s3")
    buckets = resources(templates(created.stage)["data"], "AWS::S3::Bucket")
    assert len(buckets) == 3
    for bucket in buckets:
        answer = store.get_bucket_encryption(Bucket=created.physical[bucket])
        (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_operators_find_the_bucket_of_weights(created: Created) -> None:
    name = f"/llmo/{created.stage}/weights-bucket"
    told = created.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert told in set(created.physical.values())
    assert "weights" in told


@pytest.mark.parametrize("part", ["key-pepper", "grafana-admin"])
def test_generated_secrets_are_long(created: Created, part: str) -> None:
    """64 letters and digits are more than 256 bits; without punctuation they fit any file."""
    name = f"llmo/{created.stage}/{part}"
    value = created.aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    assert len(value) == 64
    assert value.isalnum()


@pytest.mark.parametrize("part", ["hub-token", "harness-key"])
def test_secrets_from_elsewhere_have_no_value_yet(created: Created, part: str) -> None:
    store = created.aws.client("secretsmanager")
    name = f"llmo/{created.stage}/{part}"
    assert store.describe_secret(SecretId=name)["Name"] == name
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        store.get_secret_value(SecretId=name)
