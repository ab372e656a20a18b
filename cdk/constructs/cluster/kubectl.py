"""How CDK brings objects into the cluster: a Lambda of its own, within the network."""

from collections.abc import Mapping
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from aws_cdk import CfnElement, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.acknowledged import acknowledge

MANAGED: Final = "AwsSolutions::AwsSolutions-IAM4[Policy::{}]"
LAMBDA_IN_NETWORK: Final = "service-role/AWSLambdaVPCAccessExecutionRole"
LAMBDA: Final = "service-role/AWSLambdaBasicExecutionRole"
# Each takes two Lambdas at once, and a new account has ten for all that it does.
AT_ONCE: Final = 2

_applied: Final[WeakKeyDictionary[Stack, list[eks.KubernetesManifest]]] = WeakKeyDictionary()


def as_interface(cluster: eks.Cluster) -> eks.ICluster:
    """CDK's Python types miss that one is the other."""
    return cast("eks.ICluster", cluster)


def apply(
    scope: Construct, id_: str, cluster: eks.Cluster, *manifests: Mapping[str, Any]
) -> eks.KubernetesManifest:
    made = eks.KubernetesManifest(
        scope,
        id_,
        cluster=as_interface(cluster),
        manifest=list(map(dict, manifests)),
        prune=True,
        # Else the first deploy refuses what is there: objects that EKS made, or that a deploy left
        # behind that failed.
        overwrite=True,
    )
    _queue(made)
    return made


def _queue(made: eks.KubernetesManifest) -> None:
    """Behind the one before the last of its stack, so that its manifests go in two rows. A stack's
    own dependencies may join the rows, but an earlier one may not wait for a later one of its row.
    """
    earlier = _applied.setdefault(Stack.of(made), [])
    if len(earlier) >= AT_ONCE:
        made.node.add_dependency(earlier[-AT_ONCE])
    earlier.append(made)


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
