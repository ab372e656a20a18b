"""Buckets: what runs leave behind, the engines' weights, and who asked for what of both.

Encrypted with S3's own keys: a key of ours would bill each of the thousands of parts in which
weights are streamed, and keep out nobody whom the buckets' IAM rights do not.
"""

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.stages import Stage

PROMPTSETS: Final = "promptsets/"


class Buckets(Construct):
    """Their names are CloudFormation's to make: a bucket's is taken for all accounts of AWS."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, removal: RemovalPolicy) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._removal = removal
        self.access_logs = self._build_access_logs()
        self.runs = self._build_runs()
        self.weights = self._build_weights()

    def _build_access_logs(self) -> s3.Bucket:
        """Without logs of its own: cdk-nag asks none of a bucket that receives them."""
        return self._build(
            "AccessLogs",
            s3.LifecycleRule(expiration=Duration.days(self._stage.log_retention_days)),
        )

    def _build_runs(self) -> s3.Bucket:
        """Versioned: a promptset or a record that was overwritten can be proved to have been."""
        return self._build(
            "Runs",
            s3.LifecycleRule(noncurrent_version_expiration=Duration.days(90)),
            logs="runs/",
            versioned=True,
        )

    def _build_weights(self) -> s3.Bucket:
        """Not versioned: weights come again from the hub, and old ones would bill for nothing."""
        return self._build("Weights", logs="weights/")

    def _build(
        self, id_: str, *rules: s3.LifecycleRule, logs: str | None = None, versioned: bool = False
    ) -> s3.Bucket:
        unfinished = s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(2))
        return s3.Bucket(
            self,
            id_,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=versioned,
            lifecycle_rules=[unfinished, *rules],
            server_access_logs_bucket=self.access_logs if logs else None,
            server_access_logs_prefix=logs,
            removal_policy=self._removal,
            # Only an empty bucket can go, and one that stays bills.
            auto_delete_objects=self._removal is RemovalPolicy.DESTROY,
        )
