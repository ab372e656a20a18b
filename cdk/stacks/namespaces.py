from constructs import Construct

from cdk.deployment import Deployment
from cdk.kubernetes.namespaces import namespaces, no_way_into_default, objects
from cdk.stacks.base import StageStack
from cdk.stacks.cluster import ClusterStack


class NamespacesStack(StageStack):
    """Who may take how much of the cluster, and who reaches whom: nobody, unless told otherwise."""

    def __init__(self, scope: Construct, deployment: Deployment, *, cluster: ClusterStack) -> None:
        super().__init__(scope, deployment, "namespaces")
        for namespace in namespaces(self.stage, deployment.fleet):
            manifests = objects(
                namespace, service_cidr=self.stage.service_cidr, network=self.stage.cidr
            )
            cluster.apply(self, namespace.name, *manifests)
        cluster.apply(self, "default", no_way_into_default())
