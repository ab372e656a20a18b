from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk import names
from cdk.constructs.pipeline_roles import PipelineRoles
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack


class CicdStack(StageStack):
    """What lets GitHub's workflows deploy this stage; the last stack, so it tells the version."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, deployment, "cicd")
        existing = self.stage.github.provider == "existing"
        self.roles = PipelineRoles(self, "roles", stage=self.stage, existing=existing)
        ssm.StringParameter(
            self,
            "version",
            parameter_name=names.parameter(self.stage, "version"),
            string_value=deployment.version,
            description="What was deployed last, as git names it",
        )
