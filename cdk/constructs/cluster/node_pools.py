"""The nodes that Kubernetes may have."""

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk.constructs.cluster.cluster import PRIVATE, ClusterConstruct
from cdk.constructs.cluster.kubectl import apply
from cdk.deployment import Deployment
from cdk.kubernetes.cluster_wide import network_policies_on, storage_class
from cdk.kubernetes.node_pools import general_pool, gpu_pool, node_class


class NodePools(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, deployment: Deployment, control_plane: ClusterConstruct
    ) -> None:
        super().__init__(scope, id_)
        self._cluster = control_plane.cluster
        nodes = self._build_class(control_plane)
        pools = self._build_pools(deployment)
        shared = apply(self, "Shared", self._cluster, network_policies_on(), storage_class())
        # Deleted the other way round: pools drain their nodes while the class can still end them.
        pools.node.add_dependency(nodes, shared)
        nodes.node.add_dependency(control_plane.node_access)

    def _build_class(self, control_plane: ClusterConstruct) -> eks.KubernetesManifest:
        manifest = node_class(
            role_name=control_plane.node_role.role_name,
            subnet_ids=self._cluster.vpc.select_subnets(subnet_type=PRIVATE.subnet_type).subnet_ids,
            security_group_id=self._cluster.cluster_security_group_id,
        )
        return apply(self, "Class", self._cluster, manifest)

    def _build_pools(self, deployment: Deployment) -> eks.KubernetesManifest:
        return apply(self, "Pools", self._cluster, gpu_pool(deployment), general_pool(deployment))
