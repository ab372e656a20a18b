from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.cluster import ClusterStack
from cdk.stacks.data import DataStack
from cdk.stacks.namespaces import NamespacesStack
from cdk.stacks.network import NetworkStack


class FleetStack(StageStack):
    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        network: NetworkStack,
        data: DataStack,
        cluster: ClusterStack,
        namespaces: NamespacesStack,
    ) -> None:
        super().__init__(scope, deployment, "fleet")
