from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.network import NetworkStack


class ClusterStack(StageStack):
    def __init__(self, scope: Construct, deployment: Deployment, *, network: NetworkStack) -> None:
        super().__init__(scope, deployment, "cluster")
