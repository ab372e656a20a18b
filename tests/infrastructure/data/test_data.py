"""What outlives a deploy: kept or gone as the stage says, and open to nobody who needn't."""

import json
from typing import Any, Final

import pytest

from cdk.stages import load_stage
from tests.support.synth import ROOT, STAGES, resources, templates

LOCAL: Final = json.loads((ROOT / "api/tables.template.json").read_text("utf-8"))["Resources"]
HOLDERS: Final = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret")


def of(stage: str, *kinds: str) -> dict[str, dict[str, Any]]:
    return resources(templates(stage)["data"], *kinds)


def bucket(stage: str, word: str) -> dict[str, Any]:
    (found,) = (
        one["Properties"] for name, one in of(stage, "AWS::S3::Bucket").items() if word in name
    )
    return dict(found)


@pytest.mark.parametrize("stage", STAGES)
def test_removal_is_what_the_stage_says(stage: str) -> None:
    meant = {"retain": "Retain", "destroy": "Delete"}[load_stage(stage).removal]
    for resource in of(stage, *HOLDERS).values():
        assert resource["UpdateReplacePolicy"] == meant
        assert resource["DeletionPolicy"].removesuffix("ExceptOnCreate") == meant


def test_a_failed_first_deploy_leaves_no_name_of_a_secret_taken() -> None:
    """A protected table can't go either way: CloudFormation's rollback would end at it."""
    policies = {one["Type"]: one["DeletionPolicy"] for one in of("prod", *HOLDERS).values()}
    assert policies["AWS::SecretsManager::Secret"] == "RetainExceptOnCreate"
    assert policies["AWS::DynamoDB::Table"] == "Retain"


@pytest.mark.parametrize("stage", STAGES)
def test_buckets_are_emptied_only_where_they_go(stage: str) -> None:
    """One that isn't empty can't be deleted, and bills on."""
    emptied = {
        one["Properties"]["BucketName"]["Ref"]
        for one in of(stage, "Custom::S3AutoDeleteObjects").values()
    }
    goes = load_stage(stage).removal == "destroy"
    assert emptied == (set(of(stage, "AWS::S3::Bucket")) if goes else set())


@pytest.mark.parametrize("stage", STAGES)
def test_tables_are_the_local_ones_with_a_way_back(stage: str) -> None:
    """Shape and keys come from the one file; a deployment adds, and changes nothing."""
    tables = of(stage, "AWS::DynamoDB::Table")
    assert set(tables) == set(LOCAL)
    for name, table in tables.items():
        given, kind = dict(table["Properties"]), name.removesuffix("Table").lower()
        given.pop("Tags", None)
        assert given.pop("PointInTimeRecoverySpecification") == {"PointInTimeRecoveryEnabled": True}
        assert given.pop("DeletionProtectionEnabled") is (load_stage(stage).removal == "retain")
        assert given.pop("TableName") == {"Fn::Sub": f"llmo-{stage}-{kind}"}
        local = dict(LOCAL[name]["Properties"])
        assert local.pop("TableName") == {"Fn::Sub": f"${{Prefix}}-{kind}"}
        assert given == local


@pytest.mark.parametrize("stage", STAGES)
def test_buckets_are_private_and_encrypted(stage: str) -> None:
    for one in of(stage, "AWS::S3::Bucket").values():
        given = one["Properties"]
        assert set(given["PublicAccessBlockConfiguration"].values()) == {True}
        assert given["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert "ServerSideEncryptionConfiguration" in given["BucketEncryption"]
        assert "AccessControl" not in given


@pytest.mark.parametrize("stage", STAGES)
def test_buckets_refuse_plain_text_and_old_tls(stage: str) -> None:
    refused = {
        one["Properties"]["Bucket"]["Ref"]: [
            statement["Condition"]
            for statement in one["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Action"] == "s3:*"
            and statement["Principal"] == {"AWS": "*"}
        ]
        for one in of(stage, "AWS::S3::BucketPolicy").values()
    }
    assert set(refused) == set(of(stage, "AWS::S3::Bucket"))
    for conditions in refused.values():
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


@pytest.mark.parametrize("stage", STAGES)
def test_nobody_of_another_account_is_let_in(stage: str) -> None:
    """Who may come in by a bucket's own policy: AWS's services, and what empties the bucket."""
    for one in of(stage, "AWS::S3::BucketPolicy").values():
        for statement in one["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert "*" not in json.dumps(statement["Principal"])


@pytest.mark.parametrize("stage", STAGES)
def test_who_asks_for_what_is_written_down(stage: str) -> None:
    logs = next(name for name in of(stage, "AWS::S3::Bucket") if "AccessLogs" in name)
    for word in ("Runs", "Weights"):
        assert bucket(stage, word)["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": logs}
    kept = [rule.get("ExpirationInDays") for rule in _rules(bucket(stage, "AccessLogs"))]
    assert load_stage(stage).log_retention_days in kept


@pytest.mark.parametrize("stage", STAGES)
def test_what_nobody_finishes_or_needs_does_not_bill(stage: str) -> None:
    for word in ("AccessLogs", "Runs", "Weights"):
        rules = _rules(bucket(stage, word))
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
        assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert bucket(stage, "Runs")["VersioningConfiguration"] == {"Status": "Enabled"}
    assert any("NoncurrentVersionExpiration" in rule for rule in _rules(bucket(stage, "Runs")))


def _rules(properties: dict[str, Any]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = properties["LifecycleConfiguration"]["Rules"]
    return rules


@pytest.mark.parametrize("stage", STAGES)
def test_what_runs_leave_behind_never_expires(stage: str) -> None:
    for word in ("Runs", "Weights"):
        assert not any("ExpirationInDays" in rule for rule in _rules(bucket(stage, word)))


@pytest.mark.parametrize("stage", STAGES)
def test_no_secret_is_in_the_template(stage: str) -> None:
    secrets = {
        one["Properties"]["Name"]: one["Properties"]
        for one in of(stage, "AWS::SecretsManager::Secret").values()
    }
    generated = {name for name, one in secrets.items() if "GenerateSecretString" in one}
    assert not any("SecretString" in one for one in secrets.values())
    assert generated == {f"llmo/{stage}/{p}" for p in ("key-pepper", "grafana-admin")}
    assert set(secrets) - generated == {f"llmo/{stage}/{p}" for p in ("hub-token", "harness-key")}
    for name in generated:
        assert secrets[name]["GenerateSecretString"]["PasswordLength"] >= 64
