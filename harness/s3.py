"""Objects in S3, and what to do where they can't be had: the harness' one seam to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from harness.aws import session
from harness.errors import AbsentError, StoreError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TAKEN: Final = "PreconditionFailed"
_CONFLICT: Final = "ConditionalRequestConflict"
_TRIES: Final = 5
_ABSENT: Final = frozenset({"NoSuchKey", "404"})
_FORBIDDEN: Final = frozenset({"AccessDenied", "403", "InvalidAccessKeyId", "ExpiredToken"})
_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}
)


class S3Store:
    """Everything below `s3://bucket/prefix/`."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/".lstrip("/")

    @classmethod
    def of(cls, bucket: str, prefix: str) -> Self:
        """With credentials, region and endpoint from the environment, as boto3 finds them."""
        try:
            with _explained(bucket, prefix), session() as one:
                return cls(one.client("s3", config=_CONFIG), bucket, prefix)
        except ValueError as error:  # an endpoint that is no address
            raise StoreError(f"bucket {bucket}: {error}: see the AWS settings") from None

    @property
    def where(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def put(self, name: str, body: bytes) -> None:
        with _explained(self._bucket, self._prefix):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=body)

    def put_new(self, name: str, body: bytes) -> bool:
        with _explained(self._bucket, self._prefix):
            for _ in range(_TRIES):
                code = self._put_if_absent(name, body)
                if code != _CONFLICT:
                    return not code
        raise StoreError(f"{self.where}/{name}: others write it again and again")

    def get(self, name: str) -> bytes:
        with _explained(self._bucket, self._prefix):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if _code(error) in _ABSENT:
                    raise AbsentError(f"{self.where} holds no {name}") from None
                raise
            return found["Body"].read()

    def names(self, prefix: str) -> Iterator[str]:
        with _explained(self._bucket, self._prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix)

    def _put_if_absent(self, name: str, body: bytes) -> str:
        """Empty where it was written; else S3's code: taken, or not decided between two yet."""
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + name, Body=body, IfNoneMatch="*"
            )
        except ClientError as error:
            code = _code(error)
            if code in {_TAKEN, _CONFLICT}:
                return code
            raise
        return ""


@contextmanager
def _explained(bucket: str, prefix: str) -> Iterator[None]:
    """boto3's errors as StoreError, each with what to do about it."""
    try:
        yield
    except NoCredentialsError:
        raise StoreError(
            f"bucket {bucket}: there are no AWS credentials: set AWS_PROFILE or log in first"
        ) from None
    except NoRegionError:
        raise StoreError(f"bucket {bucket}: set AWS_REGION to the bucket's region") from None
    except EndpointConnectionError as error:
        raise StoreError(f"bucket {bucket}: S3 can't be reached: {error}") from None
    except ClientError as error:
        raise StoreError(_advice(bucket, prefix, error)) from None
    except BotoCoreError as error:
        raise StoreError(f"bucket {bucket}: {error}") from None


def _advice(bucket: str, prefix: str, error: ClientError) -> str:
    code = _code(error)
    if code == "NoSuchBucket":
        return f"bucket {bucket} does not exist: create it, or name the right one and its region"
    if code in _FORBIDDEN:
        return (
            f"bucket {bucket}: access denied ({code}): the caller needs s3:ListBucket on it, and "
            f"s3:GetObject and s3:PutObject on the objects under {prefix or 'it'}"
        )
    return f"bucket {bucket}: {code}: {error.response.get('Error', {}).get('Message', '')}"


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
