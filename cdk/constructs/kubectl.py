"""How CDK brings objects into the cluster: a Lambda of its own, within the network."""

from collections.abc import Mapping
from typing import Any, Final, cast

from aws_cdk import CfnElement, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.acknowledged import acknowledge

MANAGED: Final = "AwsSolutions::AwsSolutions-IAM4[Policy::{}]"
LAMBDA_IN_NETWORK: Final = "service-role/AWSLambdaVPCAccessExecutionRole"
LAMBDA: Final = "service-role/AWSLambdaBasicExecutionRole"


def as_interface(cluster: eks.Cluster) -> eks.ICluster:
    """CDK's Python types miss that one is the other."""
    return cast("eks.ICluster", cluster)


def apply(
    scope: Construct, id_: str, cluster: eks.Cluster, *manifests: Mapping[str, Any]
) -> eks.KubernetesManifest:
    return eks.KubernetesManifest(
        scope, id_, cluster=as_interface(cluster), manifest=list(map(dict, manifests)), prune=True
    )


def trim_kubectl(cluster: eks.Cluster) -> None:
    """CDK lets the handler read every image of the account, for charts in a registry: none is."""
    provider = cluster.node.find_child("KubectlProvider")
    handler = provider.node.find_child("Handler")
    role = cast("iam.CfnRole", handler.node.find_child("ServiceRole").node.default_child)
    in_network = iam.ManagedPolicy.from_aws_managed_policy_name(LAMBDA_IN_NETWORK)
    role.managed_policy_arns = [in_network.managed_policy_arn]
    handler.node.try_remove_child("HasEcrPublic")  # the condition of a policy that is gone
    function = cast("CfnElement", handler.node.default_child)
    arn = "arn:<AWS::Partition>:iam::aws:policy/"
    acknowledge(
        provider,
        {
            MANAGED.format(arn + LAMBDA): (
                "CDK makes this function and its role, with the policy that AWS made for logs: it "
                "can write log lines of functions, and nothing else."
            ),
            MANAGED.format(arn + LAMBDA_IN_NETWORK): (
                "CDK's own provider: writes its own logs and has an interface in the network; for "
                "interfaces IAM has no resource level before they exist."
            ),
            f"AwsSolutions::AwsSolutions-IAM5[Resource::<{_logical_id(function)}.Arn>:*]": (
                "CDK's own provider: calls its one handler, in whichever version."
            ),
            "AwsSolutions::AwsSolutions-L1": (
                "The runtime of CDK's own handler is CDK's to choose, and comes with its releases."
            ),
        },
    )


def _logical_id(element: CfnElement) -> str:
    return Stack.of(element).get_logical_id(element)
