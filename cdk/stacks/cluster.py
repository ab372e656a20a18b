from typing import Any

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk.constructs.cluster.cluster import ClusterConstruct
from cdk.constructs.cluster.kubectl import apply
from cdk.constructs.cluster.node_pools import NodePools
from cdk.constructs.cluster.pod_identity import PodIdentity
from cdk.constructs.cluster.services import ClusterServices
from cdk.deployment import Deployment
from cdk.stacks.base import StageStack
from cdk.stacks.network import NetworkStack


class ClusterStack(StageStack):
    """Kubernetes, what nodes it may have, and what all pods rely on."""

    def __init__(self, scope: Construct, deployment: Deployment, *, network: NetworkStack) -> None:
        super().__init__(scope, deployment, "cluster")
        control_plane = ClusterConstruct(self, "Kubernetes", stage=self.stage, vpc=network.vpc)
        self.cluster = control_plane.cluster
        nodes = NodePools(self, "Nodes", deployment=deployment, control_plane=control_plane)
        services = ClusterServices(self, "Services", deployment=deployment, cluster=self.cluster)
        services.node.add_dependency(nodes)
        self.publish(
            "paused",
            str(deployment.paused or deployment.ending).lower(),
            "Whether nodes are kept away; a destroy has to end the pause first",
        )

    def apply(
        self, scope: Construct, id_: str, *manifests: dict[str, Any]
    ) -> eks.KubernetesManifest:
        """Makes these objects from the caller's stack. Those that disappear from a later deploy are
        pruned; `kubectl` prunes common kinds only, so give what comes and goes a call of its own.
        """
        return apply(scope, id_, self.cluster, *manifests)

    def pod_identity(
        self, scope: Construct, id_: str, *, namespace: str, service_account: str
    ) -> PodIdentity:
        """A role for pods with this service account; what it may do, the caller grants."""
        return PodIdentity(
            scope, id_, cluster=self.cluster, namespace=namespace, service_account=service_account
        )
