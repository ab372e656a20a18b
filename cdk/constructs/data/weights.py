"""Rights on the bucket of weights, by prefix: who loads one model sees no other."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.constructs.wildcards import acknowledge_objects

_WHY: Final = (
    "The names of files are the model's own. A prefix holds one revision of one model, or one "
    "version of one adapter, and nothing else."
)


def grant_load(role: iam.Role, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
    _allow_listing(role, bucket, prefixes)
    _allow(role, bucket, prefixes, ["s3:GetObject"])
    if bucket.encryption_key:
        bucket.encryption_key.grant_decrypt(role)


def grant_store(role: iam.Role, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
    """Uploads come in parts, and one that fails is taken back."""
    _allow_listing(role, bucket, prefixes)
    _allow(role, bucket, prefixes, ["s3:PutObject", "s3:AbortMultipartUpload"])
    if bucket.encryption_key:
        bucket.encryption_key.grant(role, "kms:GenerateDataKey", "kms:Decrypt")


def let_look(scope: Construct, id_: str, bucket: s3.IBucket, *, role_name: str) -> None:
    """A role of another stack sees what is there, and reads none of it. The right comes and goes
    with the bucket.
    """
    iam.Policy(
        scope,
        id_,
        roles=[iam.Role.from_role_name(scope, f"{id_}Role", role_name)],
        statements=[_listing(bucket, ["models", "adapters"])],
    )


def _allow_listing(role: iam.Role, bucket: s3.IBucket, prefixes: Sequence[str]) -> None:
    role.add_to_policy(_listing(bucket, prefixes))


def _listing(bucket: s3.IBucket, prefixes: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}},
    )


def _allow(
    role: iam.Role, bucket: s3.IBucket, prefixes: Sequence[str], actions: Sequence[str]
) -> None:
    patterns = [f"{prefix}/*" for prefix in prefixes]
    role.add_to_policy(
        iam.PolicyStatement(
            actions=list(actions), resources=[bucket.arn_for_objects(one) for one in patterns]
        )
    )
    acknowledge_objects(role, bucket, patterns, _WHY)
