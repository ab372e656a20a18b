from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.cluster import ClusterStack


class NamespacesStack(StageStack):
    def __init__(self, scope: Construct, deployment: Deployment, *, cluster: ClusterStack) -> None:
        super().__init__(scope, deployment, "namespaces")
