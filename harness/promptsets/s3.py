"""Promptsets in S3: `promptsets/<name>/v<N>/{prompts.jsonl, manifest.json}`.

A version never changes. The manifest is written last, so a set without one isn't there yet.
"""

import re
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import PromptsetError, StoreError
from harness.promptsets import manifest as manifests
from harness.promptsets.folders import Files
from harness.promptsets.manifest import Manifest
from harness.promptsets.rows import Row, encoded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADDRESS: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?")
_MISSING: Final = frozenset({"NoSuchKey", "404"})
_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}
)
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


def read(where: str) -> Files:
    """The two files under `s3://bucket/…/v<N>/`.

    Raises PromptsetError where there is no promptset, StoreError where the store can't be read.
    """
    bucket, key = _parts(where)
    client = _client()
    return Files(
        *(
            _get(client, bucket, f"{key}/{name}".lstrip("/"))
            for name in (manifests.FILE, manifests.ROWS)
        )
    )


def push(manifest: Manifest, rows: tuple[Row, ...], where: str) -> str:
    """Write to `promptsets/<name>/v<N>/` under `s3://bucket[/prefix]`; returns the set's address.

    What is there already with the same content stays as it is. Raises PromptsetError where the
    version is there with another content, StoreError where the store can't be written.
    """
    bucket, prefix = _parts(where)
    key = f"{prefix}/promptsets/{manifest.name}/v{manifest.version}".lstrip("/")
    client = _client()
    for name, payload in (
        (manifests.ROWS, encoded(rows)),
        (manifests.FILE, manifests.encode(manifest)),
    ):
        _put(client, bucket, f"{key}/{name}", payload)
    return f"s3://{bucket}/{key}/"


def _parts(where: str) -> tuple[str, str]:
    match = _ADDRESS.fullmatch(where)
    if not match:
        raise PromptsetError(f"{where!r} is no address in S3; write s3://bucket/path")
    return match["bucket"], (match["key"] or "").strip("/")


def _client() -> "S3Client":
    try:
        return boto3.Session().client("s3", config=_CONFIG)
    except (BotoCoreError, ValueError) as error:
        raise StoreError(f"S3 can't be used: {error}; see the AWS settings") from None


def _get(client: "S3Client", bucket: str, key: str) -> bytes:
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if _code(error) in _MISSING:
            raise PromptsetError(
                f"s3://{bucket}/{key} is not there; push the set, or correct the address"
            ) from None
        raise _failed(error, bucket) from None
    except BotoCoreError as error:
        raise StoreError(f"s3://{bucket}/{key}: {error}; see the AWS settings") from None


def _put(client: "S3Client", bucket: str, key: str, payload: bytes) -> None:
    try:
        client.put_object(Bucket=bucket, Key=key, Body=payload, IfNoneMatch="*")
    except ClientError as error:
        if _code(error) not in _TAKEN:
            raise _failed(error, bucket) from None
        if _get(client, bucket, key) != payload:
            raise PromptsetError(
                f"s3://{bucket}/{key} is there with another content, and a version never changes;"
                " give the scenario the next version and generate it again"
            ) from None
    except BotoCoreError as error:
        raise StoreError(f"s3://{bucket}/{key}: {error}; see the AWS settings") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _failed(error: ClientError, bucket: str) -> StoreError:
    if _code(error) == "NoSuchBucket":
        return StoreError(f"bucket {bucket} does not exist: create it, or name another")
    return StoreError(f"bucket {bucket}: {error}; see its policy")
