"""Telemetry's pods, with the AWS rights that two of them need."""

from typing import Any, Protocol

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.constructs.cluster.pod_identity import PodIdentity
from cdk.constructs.observability.topic import AlarmTopic
from cdk.kubernetes.observability import alertmanager, grafana
from cdk.kubernetes.observability.components import components
from cdk.kubernetes.observability.settings import NAMESPACE, Settings


class Cluster(Protocol):
    """What is asked of the cluster's stack."""

    def apply(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *manifests: dict[str, Any],
    ) -> eks.KubernetesManifest: ...

    def pod_identity(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        namespace: str,
        service_account: str,
    ) -> PodIdentity: ...


class Workloads(Construct):
    def __init__(
        self, scope: Construct, construct_id: str, *, cluster: Cluster, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self._cluster = cluster
        # One custom resource a component: each stays far below what one may carry, and an error
        # names its component.
        self._applied = {
            name: self._apply(name, manifests) for name, manifests in components(settings).items()
        }
        first, *others = self._applied.values()
        for one in others:
            one.node.add_dependency(first)

    def _apply(self, name: str, manifests: list[dict[str, Any]]) -> eks.KubernetesManifest:
        return self._cluster.apply(self, name, *manifests)

    def grant(self, *, password: secretsmanager.ISecret, topic: AlarmTopic) -> None:
        """Before the pods that use it."""
        password.grant_read(self._build_role(grafana.NAME))
        topic.let_publish(self._build_role(alertmanager.NAME))

    def _build_role(self, name: str) -> iam.Role:
        identity = self._cluster.pod_identity(
            self, f"{name}-identity", namespace=NAMESPACE, service_account=name
        )
        self._applied[name].node.add_dependency(identity)
        return identity.role
