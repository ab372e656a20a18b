"""Functions of a run by many: plan it, run its shards, merge them (harness/lambda_handler.py)."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.log_groups import log_group
from cdk.constructs.wildcards import acknowledge_objects
from cdk.deployment import ROOT
from cdk.stages import Stage

HARNESS: Final = ROOT / "harness"
RUNS: Final = "runs/*"
PROMPTSETS: Final = "promptsets/*"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one of the handler's functions may do, and how long."""

    timeout: Duration
    reads: Sequence[str]
    asks: bool = False
    """Does it send requests, and so need the key?"""


# A plan is refused where a shard would need longer than harness/jobs/limits.py says a function has;
# a test holds this to it.
JOBS: Final[Mapping[str, Job]] = {
    "plan_shards": Job(timeout=Duration.minutes(5), reads=(RUNS, PROMPTSETS)),
    "run_shard": Job(timeout=Duration.minutes(15), reads=(RUNS,), asks=True),
    "merge_run": Job(timeout=Duration.minutes(15), reads=(RUNS,)),
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where runs are kept, and what they may ask with which key."""

    bucket: s3.IBucket
    url: str
    key: secretsmanager.ISecret


class JobFunctions(Construct):
    """Not in the network: they ask the public API, as any other client does.

    No concurrency is reserved: that would take it from the gateway's functions for good, while the
    state machine limits how many shards run at once.
    """

    def __init__(
        self, scope: Construct, id_: str, *, stage: Stage, code: Path, target: Target
    ) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._target = target
        self._code = lambda_.Code.from_asset(str(code))
        self._memory_mb = _memory_mb()
        self.functions = {name: self._build_function(name, job) for name, job in JOBS.items()}

    @staticmethod
    def name_of(stage: Stage, job: str) -> str:
        return names.prefixed(stage, job.replace("_", "-"))

    def _build_function(self, name: str, job: Job) -> lambda_.Function:
        function_name = self.name_of(self._stage, name)
        log = log_group(self, f"{name}_log", self._stage, f"/aws/lambda/{function_name}")
        function = lambda_.Function(
            self,
            name,
            function_name=function_name,
            description=f"Harness: {name.replace('_', ' ')}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=self._code,
            handler=f"harness.lambda_handler.{name}",
            memory_size=self._memory_mb,
            timeout=job.timeout,
            role=self._build_role(name, job, log),
            log_group=log,
            environment={
                "RUNS_BUCKET": self._target.bucket.bucket_name,
                "TARGET_URLS": self._target.url,
                "API_KEY_SECRET": self._target.key.secret_arn,
            },
        )
        acknowledge(
            function,
            {
                "AwsSolutions::AwsSolutions-L1": "Python 3.13 compiles what is shipped "
                "(cdk/assets.py) and runs every test; it is supported until 2029."
            },
        )
        return function

    def _build_role(self, name: str, job: Job, log: logs.ILogGroup) -> iam.Role:
        role = iam.Role(
            self,
            f"{name}_role",
            description=f"Of {self.name_of(self._stage, name)}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        for statement in (_logging(log), *self._objects(job)):
            role.add_to_policy(statement)
        if job.asks:
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["secretsmanager:GetSecretValue"],
                    resources=[self._target.key.secret_arn],
                )
            )
        acknowledge_objects(
            role,
            self._target.bucket,
            job.reads,
            "Below these prefixes objects have names that each run, or each promptset, makes.",
        )
        return role

    def _objects(self, job: Job) -> Sequence[iam.PolicyStatement]:
        bucket = self._target.bucket
        return (
            iam.PolicyStatement(
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(prefix) for prefix in job.reads],
            ),
            iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(RUNS)]),
            # Without it S3 answers 403, not 404, for what isn't there yet. Such a request names no
            # prefix, hence IfExists.
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLikeIfExists": {"s3:prefix": list(job.reads)}},
            ),
        )


def _logging(log: logs.ILogGroup) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
    )


def _memory_mb() -> int:
    """What docs/load-sizing.md reckons with."""
    sizing = tomllib.loads((HARNESS / "jobs/sizing.toml").read_text("utf-8"))
    return int(sizing["function"]["memory_mb"])
