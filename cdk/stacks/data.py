from aws_cdk import RemovalPolicy
from constructs import Construct

from cdk import names
from cdk.constructs.data.buckets import Buckets
from cdk.constructs.data.secrets import Secrets
from cdk.constructs.data.tables import Tables
from cdk.constructs.data.weights import let_look
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack


class DataStack(StageStack):
    """What outlives a deploy: tables, buckets, secrets."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, deployment, "data")
        tables = Tables(self, "Tables", stage=self.stage, removal=self.removal)
        self.keys_table, self.routing_table = tables.keys, tables.routing
        self.audit_table = tables.audit
        buckets = Buckets(self, "Buckets", stage=self.stage, removal=self.removal)
        self.runs_bucket, self.weights_bucket = buckets.runs, buckets.weights
        self.access_logs_bucket = buckets.access_logs
        secrets = Secrets(self, "Secrets", stage=self.stage, removal=_unless_undone(self.removal))
        self.key_pepper, self.grafana_admin = secrets.key_pepper, secrets.grafana_admin
        self.hub_token, self.harness_key = secrets.hub_token, secrets.harness_key
        self.publish(
            "weights-bucket",
            self.weights_bucket.bucket_name,
            "What engines load",
        )
        deploy = names.prefixed(self.stage, "deploy")
        let_look(self, "DeployLooks", self.weights_bucket, role_name=deploy)


def _unless_undone(removal: RemovalPolicy) -> RemovalPolicy:
    """A deploy that failed takes away what it had made: a secret's name is free for the next. Not
    so a table's: it is protected, and would end the rollback.
    """
    kept = removal is RemovalPolicy.RETAIN
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if kept else removal
