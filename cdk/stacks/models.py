from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.data import DataStack
from cdk.stacks.network import NetworkStack


class ModelsStack(StageStack):
    def __init__(
        self, scope: Construct, deployment: Deployment, *, network: NetworkStack, data: DataStack
    ) -> None:
        super().__init__(scope, deployment, "models")
