"""AWS rights of pods: a role that only one service account of one namespace can take."""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

SERVICE: Final = "pods.eks.amazonaws.com"


class PodIdentity(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: eks.Cluster,
        namespace: str,
        service_account: str,
    ) -> None:
        super().__init__(scope, id_)
        # EKS tags the session with where the pod is; no other pod's session fits.
        taker = iam.ServicePrincipal(
            SERVICE,
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": Aws.ACCOUNT_ID,
                    "aws:RequestTag/eks-cluster-name": cluster.cluster_name,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        )
        self.role = iam.Role(self, "Role", assumed_by=taker.with_session_tags())
        eks.CfnPodIdentityAssociation(
            self,
            "Association",
            cluster_name=cluster.cluster_name,
            namespace=namespace,
            service_account=service_account,
            role_arn=self.role.role_arn,
        )
