from aws_cdk import Annotations
from constructs import Construct

from cdk.constructs.pipeline_roles import PipelineRoles
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stages import NOBODYS


class CicdStack(StageStack):
    """What lets GitHub's workflows deploy this stage, and destroy it: first to come, last to go."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, deployment, "cicd")
        if self.stage.github.repository.startswith(NOBODYS):
            Annotations.of(self).add_warning_v2(
                "llmo:nobodys-workflows",
                f"stages.toml: stages.{self.stage.name}.github.repository is nobody's: "
                "no workflow will be able to deploy",
            )
        existing = self.stage.github.provider == "existing"
        self.roles = PipelineRoles(self, "roles", stage=self.stage, existing=existing)
