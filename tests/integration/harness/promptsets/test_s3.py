"""Promptsets in S3: a version is written once and read as it was written."""

import secrets

import pytest

from harness.errors import PromptsetError, StoreError
from harness.promptsets import s3
from harness.promptsets.store import load
from tests.support.local_aws import LocalAws


@pytest.fixture
def bucket(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in aws.env().items():
        monkeypatch.setenv(name, value)
    name = f"sets-{secrets.token_hex(6)}"
    aws.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    return name


def keys(aws: LocalAws, bucket: str) -> set[str]:
    found = aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {entry["Key"] for entry in found}


def test_a_set_comes_back_as_it_was_pushed(aws: LocalAws, bucket: str) -> None:
    tiny = load("tiny")
    address = s3.push(tiny.manifest, tiny.rows, f"s3://{bucket}")
    assert address == f"s3://{bucket}/promptsets/tiny/v1/"
    assert keys(aws, bucket) == {
        "promptsets/tiny/v1/manifest.json",
        "promptsets/tiny/v1/prompts.jsonl",
    }
    assert load(address) == tiny
    assert load(address.rstrip("/"), version=1) == tiny


def test_a_prefix_comes_before(bucket: str) -> None:
    tiny = load("tiny")
    address = s3.push(tiny.manifest, tiny.rows, f"s3://{bucket}/stage/")
    assert address == f"s3://{bucket}/stage/promptsets/tiny/v1/"
    assert load(address) == tiny


def test_pushing_the_same_again_changes_nothing(aws: LocalAws, bucket: str) -> None:
    tiny = load("tiny")
    for _ in range(2):
        s3.push(tiny.manifest, tiny.rows, f"s3://{bucket}")
    assert len(keys(aws, bucket)) == 2


def test_a_version_is_never_overwritten(bucket: str) -> None:
    tiny, canary = load("tiny"), load("canary")
    address = s3.push(tiny.manifest, tiny.rows, f"s3://{bucket}")
    with pytest.raises(PromptsetError, match="a version never changes"):
        s3.push(tiny.manifest, canary.rows, f"s3://{bucket}")
    assert load(address) == tiny


def test_a_changed_object_is_refused(aws: LocalAws, bucket: str) -> None:
    tiny = load("tiny")
    address = s3.push(tiny.manifest, tiny.rows, f"s3://{bucket}")
    aws.client("s3").put_object(Bucket=bucket, Key="promptsets/tiny/v1/prompts.jsonl", Body=b"{}\n")
    with pytest.raises(PromptsetError, match=r"prompts\.jsonl: sha256 .* is expected, found"):
        load(address)


def test_a_set_that_is_not_there_is_told(bucket: str) -> None:
    with pytest.raises(PromptsetError, match=r"promptsets/tiny/v9/manifest\.json is not there"):
        load(f"s3://{bucket}/promptsets/tiny/v9/")


@pytest.mark.usefixtures("bucket")
def test_a_missing_bucket_is_told() -> None:
    tiny = load("tiny")
    with pytest.raises(StoreError, match="does not exist: create it, or name another"):
        s3.push(tiny.manifest, tiny.rows, "s3://no-such-bucket-here")
    with pytest.raises(StoreError, match="no-such-bucket-here"):
        load("s3://no-such-bucket-here/promptsets/tiny/v1/")


@pytest.mark.parametrize("where", ["s3://", "s3:///x", "s3://UPPER/x", "s3://a"])
def test_what_is_no_address_is_refused(where: str) -> None:
    with pytest.raises(PromptsetError, match="write s3://bucket/path"):
        load(where)
