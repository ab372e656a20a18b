"""The state machine of a run by many: harness/jobs/state_machine.json as it is."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.log_groups import log_group
from cdk.constructs.wildcards import acknowledge_objects, acknowledge_resources
from cdk.deployment import ROOT
from cdk.stages import Stage

DEFINITION: Final = ROOT / "harness/jobs/state_machine.json"
SHARDS: Final = "runs/*/shards.json"
"""What its map reads: a list of a run's shards."""


class RunMachine(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        functions: Mapping[str, lambda_.IFunction],
        bucket: s3.IBucket,
    ) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._functions = functions
        self._name = names.prefixed(stage, "runs")
        self.role = self._build_role(bucket)
        self.machine = self._build_machine()

    def _build_machine(self) -> sfn.StateMachine:
        # Of such a name, or each new machine takes room in the account's one policy for log
        # deliveries, which is soon full.
        log = log_group(self, "log", self._stage, f"/aws/vendedlogs/states/{self._name}")
        machine = sfn.StateMachine(
            self,
            "machine",
            state_machine_name=self._name,
            comment="plan -> shards -> merge: a run by many functions",
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text("utf-8")),
            definition_substitutions={
                f"{_camel(name)}FunctionArn": function.function_arn
                for name, function in self._functions.items()
            },
            role=self.role,
            logs=sfn.LogOptions(
                destination=log,
                level=sfn.LogLevel.ALL,
                include_execution_data=False,  # plans hold prompts' names, and errors their causes
            ),
        )
        acknowledge(
            machine,
            {
                "AwsSolutions::AwsSolutions-SF2": "X-Ray would be a second system beside "
                "OpenTelemetry, and its permissions know no resource. Every state's time is in "
                "the log of executions."
            },
        )
        return machine

    def _build_role(self, bucket: s3.IBucket) -> iam.Role:
        machine = self._arn("stateMachine", self._name)
        role = iam.Role(
            self,
            "role",
            description=f"Of the state machine {self._name}",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    # The distributed map's executions are of `<machine>/<label of the map>`.
                    "ArnLike": {"aws:SourceArn": [machine, f"{machine}/*"]},
                },
            ),
        )
        for statement in self._statements(bucket):
            role.add_to_policy(statement)
        acknowledge_objects(role, bucket, [SHARDS], "Each run has its own list of shards.")
        acknowledge_resources(
            role,
            [f"arn:aws:states:{self._stage.region}:<AWS::AccountId>:execution:{self._name}:*"],
            "Executions of this state machine: each has a name of its own.",
        )
        acknowledge_resources(role, ["*"], "Log deliveries have no resource level in IAM.")
        return role

    def _statements(self, bucket: s3.IBucket) -> tuple[iam.PolicyStatement, ...]:
        """A distributed map starts a child execution of its own machine for each shard."""
        return (
            _allow("lambda:InvokeFunction", *(f.function_arn for f in self._functions.values())),
            _allow("s3:GetObject", bucket.arn_for_objects(SHARDS)),
            _allow("states:StartExecution", self._arn("stateMachine", self._name)),
            iam.PolicyStatement(
                actions=["states:DescribeExecution", "states:StopExecution"],
                resources=[self._arn("execution", f"{self._name}:*")],
            ),
        )

    def _arn(self, kind: str, name: str) -> str:
        """By name: the machine needs its role first."""
        return Stack.of(self).format_arn(
            service="states",
            resource=kind,
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )


def _allow(action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=list(resources))


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
