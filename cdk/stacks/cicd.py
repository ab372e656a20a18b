from constructs import Construct

from cdk.constructs.pipeline_roles import PipelineRoles
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack


class CicdStack(StageStack):
    """What lets GitHub's workflows deploy this stage, and destroy it: first to come, last to go."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, deployment, "cicd")
        existing = self.stage.github.provider == "existing"
        self.roles = PipelineRoles(self, "roles", stage=self.stage, existing=existing)
