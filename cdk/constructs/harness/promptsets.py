"""The shipped promptsets in the bucket of runs: `promptsets/<name>/v<N>/`, where runs look."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aws_cdk import Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct, IConstruct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.log_groups import log_group
from cdk.constructs.wildcards import acknowledge_objects, acknowledge_resources
from cdk.deployment import ROOT
from cdk.stages import Stage

SHIPPED: Final = ROOT / "harness/promptsets"
PREFIX: Final = "promptsets"
_MANIFEST: Final = "manifest.json"
_ROWS: Final = "prompts.jsonl"


class Promptsets(Construct):
    """Nothing is ever taken away: a version never changes, and old runs name old versions."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, bucket: s3.IBucket) -> None:
        super().__init__(scope, id_)
        self._bucket = bucket
        log = log_group(
            self, "log", stage, f"/aws/lambda/{names.prefixed(stage, 'promptsets-copy')}"
        )
        role = self._build_role(log)
        self._build_copy(role, log)

    def _build_copy(self, role: iam.Role, log: logs.LogGroup) -> None:
        with TemporaryDirectory() as folder:
            lay_out(Path(folder))
            copy = s3_deployment.BucketDeployment(
                self,
                "copy",
                sources=[s3_deployment.Source.asset(folder)],
                destination_bucket=self._bucket,
                destination_key_prefix=PREFIX,
                prune=False,
                retain_on_delete=True,
                role=role.without_policy_updates(),  # its own would reach the whole bucket
                log_group=log,
                memory_limit=512,
            )
        copy.node.add_dependency(role)
        acknowledge(
            _handler(Stack.of(self)),
            {"AwsSolutions::AwsSolutions-L1": "CDK's own function: its runtime comes with CDK."},
        )

    def _build_role(self, log: logs.LogGroup) -> iam.Role:
        bucket = self._bucket
        role = iam.Role(
            self,
            "role",
            description="Copies the shipped promptsets to where runs look for them",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        assets = Fn.sub(
            "arn:${AWS::Partition}:s3:::cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}/*.zip"
        )
        for statement in (
            _allow(["s3:GetObject"], assets),
            _allow(["s3:PutObject"], bucket.arn_for_objects(f"{PREFIX}/*")),
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{PREFIX}/*"]}},
            ),
            _allow(["logs:CreateLogStream", "logs:PutLogEvents"], log.log_group_arn),
        ):
            role.add_to_policy(statement)
        reason = (
            "Each set and version is a key of its own below this prefix, and sets are added "
            "without a change of rights; nothing outside of the prefix can be written."
        )
        acknowledge_objects(role, bucket, [f"{PREFIX}/*"], reason)
        acknowledge_resources(
            role,
            ["arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*.zip"],
            "Packages in CDK's own bucket are named by the hash of what they hold.",
        )
        return role


def lay_out(folder: Path) -> None:
    """Each set as `promptset push` would write it; which version it is, its manifest says."""
    for manifest in sorted(SHIPPED.glob(f"*/{_MANIFEST}")):
        version = json.loads(manifest.read_text("utf-8"))["version"]
        to = folder / manifest.parent.name / f"v{version}"
        to.mkdir(parents=True)
        for name in (_MANIFEST, _ROWS):
            shutil.copyfile(manifest.with_name(name), to / name)


def _allow(actions: list[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=[resource])


def _handler(stack: Stack) -> IConstruct:
    """The function is made for the whole stack, under a name of CDK's."""
    return next(
        child for child in stack.node.children if child.node.id.startswith("Custom::CDKBucketD")
    )
