"""Log groups of ours: those that services make for themselves are kept for ever."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.stages import Stage


def log_group(scope: Construct, id_: str, stage: Stage, name: str) -> logs.LogGroup:
    """It goes with its stack, whatever the stage keeps: the same name must be free again."""
    group = logs.LogGroup(scope, id_, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = stage.log_retention_days
    return group
