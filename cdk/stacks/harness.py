from collections.abc import Mapping

from aws_cdk import CfnOutput
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.assets import staged
from cdk.constructs.harness.job_functions import HARNESS, JobFunctions, Target
from cdk.constructs.harness.promptsets import Promptsets
from cdk.constructs.harness.run_machine import RunMachine
from cdk.deployment import Deployment
from cdk.stacks.api import ApiStack
from cdk.stacks.base import StageStack
from cdk.stacks.data import DataStack


class HarnessStack(StageStack):
    """Runs by many functions, and the promptsets that they ask."""

    functions: Mapping[str, str]
    """Names by what they do."""
    state_machine: sfn.IStateMachine

    def __init__(
        self, scope: Construct, deployment: Deployment, *, data: DataStack, api: ApiStack
    ) -> None:
        super().__init__(scope, deployment, "harness")
        bucket = data.runs_bucket
        jobs = JobFunctions(
            self,
            "jobs",
            stage=self.stage,
            code=staged("harness", {"harness": HARNESS}, packages="jobs"),
            target=Target(bucket=bucket, url=api.url, key=data.harness_key),
        )
        machine = RunMachine(
            self, "runs", stage=self.stage, functions=jobs.functions, bucket=bucket
        )
        Promptsets(self, "promptsets", stage=self.stage, bucket=bucket)
        self.functions = {job: jobs.name_of(self.stage, job) for job in jobs.functions}
        self.state_machine = machine.machine
        CfnOutput(self, "RunsStateMachine", value=self.state_machine.state_machine_arn)
        self.publish(
            "runs-state-machine", self.state_machine.state_machine_arn, "What carries out a run"
        )
        self.publish("runs-bucket", bucket.bucket_name, "Plans, records and summaries of runs")
