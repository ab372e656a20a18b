"""Trust in a service of AWS, as far as it works for us.

A service's name alone would let it act by our role, or on our bucket, for whoever asks it.
"""

from collections.abc import Mapping

from aws_cdk import Stack
from constructs import Construct


def only_for_us(scope: Construct, source: str | None = None) -> Mapping[str, Mapping[str, str]]:
    """Conditions: for this account, and where `source` is given, for what has such an ARN."""
    conditions = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    return conditions | ({"ArnLike": {"aws:SourceArn": source}} if source else {})
