"""The gateway's tables: the definitions of the local stack, and what a deployment adds to them."""

from pathlib import Path
from typing import Final, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import cloudformation_include as included
from constructs import Construct

from cdk import names
from cdk.deployment import ROOT
from cdk.stages import Stage

TABLES: Final[Path] = ROOT / "api/tables.template.json"


class Tables(Construct):
    """Records are encrypted with keys that DynamoDB owns: a key of ours would cost by the month and
    by the call, and keep out nobody whom the tables' IAM rights do not.

    Audit records are kept: the gateway writes no time after which one may go.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, removal: RemovalPolicy) -> None:
        super().__init__(scope, id_)
        self._removal = removal
        self._template = self._build_template(stage)
        self.keys = self._build_table("KeysTable")
        self.routing = self._build_table("RoutingTable")
        self.audit = self._build_table("AuditTable")

    def _build_template(self, stage: Stage) -> included.CfnInclude:
        prefix = f"{names.PREFIX}-{stage.name}"
        return included.CfnInclude(
            self, "Template", template_file=str(TABLES), parameters={"Prefix": prefix}
        )

    def _build_table(self, id_: str) -> dynamodb.ITable:
        table = cast("dynamodb.CfnTable", self._template.get_resource(id_))
        table.point_in_time_recovery_specification = (
            dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            )
        )
        table.deletion_protection_enabled = self._removal is RemovalPolicy.RETAIN
        table.apply_removal_policy(self._removal)
        return dynamodb.Table.from_table_attributes(self, id_, table_name=table.ref)
