from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.base import StageStack


class CicdStack(StageStack):
    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        super().__init__(scope, deployment, "cicd")
