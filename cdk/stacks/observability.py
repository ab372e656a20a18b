from constructs import Construct

from cdk.deployment import Deployment
from cdk.stacks.api import ApiStack
from cdk.stacks.base import StageStack
from cdk.stacks.cluster import ClusterStack
from cdk.stacks.data import DataStack
from cdk.stacks.fleet import FleetStack
from cdk.stacks.harness import HarnessStack
from cdk.stacks.models import ModelsStack
from cdk.stacks.namespaces import NamespacesStack


class ObservabilityStack(StageStack):
    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        data: DataStack,
        cluster: ClusterStack,
        namespaces: NamespacesStack,
        fleet: FleetStack,
        models: ModelsStack,
        api: ApiStack,
        harness: HarnessStack,
    ) -> None:
        super().__init__(scope, deployment, "observability")
