"""The Kubernetes cluster: EKS Auto Mode without its built-in node pools, closed to the internet."""

from typing import Final, cast

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.lambda_layer_kubectl_v35 import KubectlV35Layer
from constructs import Construct

from cdk import names
from cdk.acknowledged import acknowledge
from cdk.constructs.cluster.kubectl import as_interface, trim_kubectl
from cdk.constructs.cluster.people import grant_people
from cdk.constructs.log_groups import log_group
from cdk.constructs.service_trust import only_for_us
from cdk.stages import Stage

KUBERNETES: Final = "1.35"
MANAGED: Final = "AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{}]"
CLUSTER_POLICIES: Final = tuple(
    f"AmazonEKS{name}Policy"
    for name in ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking")
)
NODE_POLICIES: Final = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
PRIVATE: Final = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)


class ClusterConstruct(Construct):
    def __init__(self, scope: Construct, id_: str, *, stage: Stage, vpc: ec2.IVpc) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._name = f"{names.PREFIX}-{stage.name}"
        self._vpc = vpc
        key = self._build_key()
        self.cluster = self._build_cluster(key)
        self._build_logs()
        grant_people(self, self.cluster, stage)
        self._build_way_in()
        self.node_role = self._build_node_role()
        self.node_access = self._build_node_access()

    def _build_key(self) -> kms.Key:
        """A key of the stage's own: who reads Kubernetes' secrets shows in CloudTrail."""
        return kms.Key(
            self,
            "Secrets",
            description=f"Secrets in the Kubernetes API, {self._stage.name}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # worth nothing without the cluster
        )

    def _build_cluster(self, key: kms.Key) -> eks.Cluster:
        """`kubectl` runs in a Lambda within the network, so the API needs no public address."""
        cluster = eks.Cluster(
            self,
            "Cluster",
            cluster_name=self._name,
            version=eks.KubernetesVersion.of(KUBERNETES),
            vpc=self._vpc,
            vpc_subnets=[PRIVATE],
            endpoint_access=eks.EndpointAccess.PRIVATE,
            service_ipv4_cidr=self._stage.service_cidr,
            default_capacity_type=eks.DefaultCapacityType.AUTOMODE,
            compute=eks.ComputeConfig(node_pools=[]),
            bootstrap_self_managed_addons=False,
            bootstrap_cluster_creator_admin_permissions=False,
            cluster_logging=list(eks.ClusterLoggingTypes),
            secrets_encryption_key=key,
            kubectl_provider_options=eks.KubectlProviderOptions(
                kubectl_layer=KubectlV35Layer(self, "Kubectl")
            ),
        )
        trim_kubectl(cluster)
        self._narrow_trust(cluster.role)
        reason = (
            "The policies that AWS maintains for the control plane of Auto Mode; what they let "
        )
        reason += "it change is limited to what carries the cluster's tag."
        acknowledge(cluster.role, dict.fromkeys(map(MANAGED.format, CLUSTER_POLICIES), reason))
        return cluster

    def _narrow_trust(self, role: iam.IRole) -> None:
        """EKS takes it for this cluster alone. CDK's role is kept: another would replace the
        cluster.
        """
        cluster = Stack.of(self).format_arn(
            service="eks", resource="cluster", resource_name=self._name
        )
        resource = cast("iam.CfnRole", role.node.default_child)
        resource.add_property_override(
            "AssumeRolePolicyDocument.Statement.0.Condition", only_for_us(self, cluster)
        )

    def _build_logs(self) -> None:
        """EKS would make the group itself, and keep what is in it for ever."""
        group = log_group(self, "Logs", self._stage, f"/aws/eks/{self._name}/cluster")
        resource = cast("eks.CfnCluster", self.cluster.node.default_child)
        resource.node.add_dependency(group)

    def _build_way_in(self) -> None:
        """For CloudShell within the network: with this group its `kubectl` reaches the API."""
        group = ec2.SecurityGroup(
            self, "AdministratorsGroup", vpc=self._vpc, description="Reaches the Kubernetes API"
        )
        self.cluster.connections.allow_default_port_from(group, "Kubernetes API")
        CfnOutput(self, "AdministratorsGroupId", value=group.security_group_id)

    def _build_node_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Node",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(name) for name in NODE_POLICIES
            ],
        )
        reason = "The least that a node of Auto Mode needs, as AWS maintains it: who it is, and to "
        reason += "pull images. Pods have roles of their own."
        acknowledge(role, dict.fromkeys(map(MANAGED.format, NODE_POLICIES), reason))
        return role

    def _build_node_access(self) -> eks.AccessEntry:
        """EKS lets the nodes of its built-in pools join; of ours, only those of this role."""
        join = eks.AccessPolicy.from_access_policy_name(
            "AmazonEKSAutoNodePolicy", access_scope_type=eks.AccessScopeType.CLUSTER
        )
        return eks.AccessEntry(
            self,
            "NodeAccess",
            cluster=as_interface(self.cluster),
            principal=self.node_role.role_arn,
            access_entry_type=eks.AccessEntryType.EC2,
            access_policies=[join],
        )
