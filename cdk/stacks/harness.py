from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.api import ApiStack
from cdk.stacks.base import StageStack
from cdk.stacks.data import DataStack


class HarnessStack(StageStack):
    def __init__(
        self, scope: Construct, deployment: Deployment, *, data: DataStack, api: ApiStack
    ) -> None:
        super().__init__(scope, deployment, "harness")
