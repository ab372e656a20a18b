"""Findings of cdk-nag that are known and accepted, each with the reason, where they arise."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """`reasons` by the finding's id, as the validation report prints it, for instance
    `AwsSolutions::AwsSolutions-IAM5[Resource::*]`; for this construct and all within it.
    """
    accepted = [Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items()]
    Validations.of(construct).acknowledge(*accepted)
