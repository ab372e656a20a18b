"""Who may use the Kubernetes API, and for what: roles of people, as the stage names them."""

from collections.abc import Iterator
from hashlib import sha256

from aws_cdk import Annotations
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk.stages import Stage


def grant_people(scope: Construct, cluster: eks.Cluster, stage: Stage) -> None:
    """EKS has one entry a role: one that is named twice gets the rights of both."""
    if not stage.administrators:
        Annotations.of(scope).add_warning_v2(
            "llmo:nobody-administers-the-cluster",
            f"stages.toml: stages.{stage.name}.administrators is empty: "
            "nobody will be able to use kubectl"
            + (" but to look, or for a team" if stage.viewers or stage.teams else ""),
        )
    for arn, policy in _granted(stage):
        cluster.grant_access(_entry(arn), arn, [policy])


def _granted(stage: Stage) -> Iterator[tuple[str, eks.IAccessPolicy]]:
    """The role, and what it may."""
    for arn in stage.administrators:
        yield arn, _everywhere("AmazonEKSClusterAdminPolicy")
    for arn in stage.viewers:
        yield arn, _everywhere("AmazonEKSViewPolicy")
    for team, roles in stage.teams.items():
        for arn in roles:
            yield arn, _within("AmazonEKSEditPolicy", team)


def _entry(arn: str) -> str:
    """By whom alone: who gets other rights keeps the entry, as EKS would refuse a second one."""
    return f"Person{sha256(arn.encode()).hexdigest()[:8]}"


def _everywhere(policy: str) -> eks.IAccessPolicy:
    return eks.AccessPolicy.from_access_policy_name(
        policy, access_scope_type=eks.AccessScopeType.CLUSTER
    )


def _within(policy: str, namespace: str) -> eks.IAccessPolicy:
    return eks.AccessPolicy.from_access_policy_name(
        policy, access_scope_type=eks.AccessScopeType.NAMESPACE, namespaces=[namespace]
    )
