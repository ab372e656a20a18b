"""Promptsets in S3: a version is written once and read as it was written."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import aws as aws_session
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
    with pytest.raises(
        StoreError, match="does not exist: create it, or name the right one and its region"
    ):
        s3.push(tiny.manifest, tiny.rows, "s3://no-such-bucket-here")
    with pytest.raises(StoreError, match="no-such-bucket-here"):
        load("s3://no-such-bucket-here/promptsets/tiny/v1/")


@pytest.mark.parametrize("where", ["s3://", "s3:///x", "s3://UPPER/x", "s3://a"])
def test_what_is_no_address_is_refused(where: str) -> None:
    with pytest.raises(PromptsetError, match="write s3://bucket/path"):
        load(where)


@pytest.fixture
def _own_session() -> Iterator[None]:
    """A session remembers the credentials that it found."""
    aws_session._session.cache_clear()
    yield
    aws_session._session.cache_clear()


@pytest.mark.usefixtures("bucket", "_own_session")
def test_without_credentials_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreError, match="bucket sets: there are no AWS credentials: set AWS_PROF"):
        load("s3://sets/promptsets/tiny/v1/")


@pytest.mark.usefixtures("bucket")
def test_an_s3_that_can_t_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreError, match="bucket sets: S3 can't be reached: "):
        load("s3://sets/promptsets/tiny/v1/")


@pytest.mark.usefixtures("bucket")
def test_an_endpoint_that_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
    with pytest.raises(StoreError, match="bucket sets: Invalid endpoint: nowhere"):
        load("s3://sets/promptsets/tiny/v1/")


def test_a_set_at_the_root_of_a_bucket_is_read(aws: LocalAws, bucket: str) -> None:
    tiny = load("tiny")
    s3.push(tiny.manifest, tiny.rows, f"s3://{bucket}")
    for name in ("manifest.json", "prompts.jsonl"):
        source = {"Bucket": bucket, "Key": f"promptsets/tiny/v1/{name}"}
        aws.client("s3").copy_object(Bucket=bucket, Key=name, CopySource=source)
    assert load(f"s3://{bucket}") == tiny
