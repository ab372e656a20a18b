"""What all stacks have in common: their name, where they are, and what removal means."""

from aws_cdk import Environment, RemovalPolicy, Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk import names
from cdk.deployment import Deployment


class StageStack(Stack):
    """`part` names it: `llmo-dev-network`."""

    def __init__(self, scope: Construct, deployment: Deployment, part: str) -> None:
        stage = deployment.stage
        super().__init__(
            scope,
            names.prefixed(stage, part),
            env=Environment(account=stage.account, region=stage.region),
            description=f"LLM Optimization Platform, {stage.name}: {part}",
            termination_protection=stage.removal == "retain",
        )
        self.deployment = deployment
        self.stage = stage
        self.removal = RemovalPolicy(stage.removal.upper())

    def publish(self, part: str, value: str, description: str) -> None:
        """Where operations find it: a parameter, `/llmo/<stage>/<part>`."""
        ssm.StringParameter(
            self,
            part,
            parameter_name=names.parameter(self.stage, part),
            string_value=value,
            description=description,
        )
