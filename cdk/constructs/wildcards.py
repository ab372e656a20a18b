"""Wildcards at the end of a resource's ARN, where what comes after it is made at run time."""

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from cdk.acknowledged import acknowledge


def acknowledge_objects(
    construct: IConstruct, bucket: s3.IBucket, patterns: Iterable[str], reason: str
) -> None:
    """Exactly these patterns of objects, and no other wildcard, of another stack's bucket."""
    acknowledge_resources(construct, (f"{_shown(bucket)}/{one}" for one in patterns), reason)


def acknowledge_resources(construct: IConstruct, resources: Iterable[str], reason: str) -> None:
    """`resources` as cdk-nag's report prints them."""
    acknowledge(
        construct,
        {f"AwsSolutions::AwsSolutions-IAM5[Resource::{one}]": reason for one in resources},
    )


def _shown(bucket: s3.IBucket) -> str:
    """cdk-nag prints a reference to another stack as the name of what that stack exports."""
    owner = Stack.of(bucket)
    exported = owner.resolve(owner.export_value(bucket.bucket_arn))
    return str(exported["Fn::ImportValue"])
