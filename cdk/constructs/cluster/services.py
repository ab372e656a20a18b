"""What all pods rely on and EKS Auto Mode doesn't bring."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk.constructs.cluster.kubectl import apply, as_interface
from cdk.deployment import Deployment
from cdk.kubernetes import keda
from cdk.kubernetes.namespaces import objects

# Pinned: EKS would otherwise install whatever is its default on the day. What there is for this
# Kubernetes: aws eks describe-addon-versions --kubernetes-version 1.35 --addon-name <name>
METRICS_SERVER: Final = "v0.8.1-eksbuild.10"
SECRETS_STORE: Final = "v3.1.3-eksbuild.1"
KEDA_CHART: Final = "2.21.1"
KEDA_CHARTS: Final = "https://kedacore.github.io/charts"


class ClusterServices(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, deployment: Deployment, cluster: eks.Cluster
    ) -> None:
        super().__init__(scope, id_)
        self._deployment = deployment
        self._cluster = cluster
        self._interface = as_interface(cluster)
        self._build_secrets_store()
        if not deployment.paused:  # two pods that would keep a node
            self._build_metrics_server()
        self._build_keda()

    def _build_secrets_store(self) -> None:
        """Secrets as files, fetched with the pod's own identity, and again when they rotate."""
        eks.Addon(
            self,
            "SecretsStore",
            cluster=self._interface,
            addon_name="aws-secrets-store-csi-driver-provider",
            addon_version=SECRETS_STORE,
            preserve_on_delete=False,
            configuration_values={
                "secrets-store-csi-driver": {
                    "enableSecretRotation": True,
                    "rotationPollInterval": "2m",
                    "syncSecret": {"enabled": True},
                },
                # The driver tolerates every taint; its provider only when told, and an engine's
                # secrets would never be mounted on a node with a GPU.
                "tolerations": [{"operator": "Exists"}],
            },
        )

    def _build_metrics_server(self) -> None:
        eks.Addon(
            self,
            "MetricsServer",
            cluster=self._interface,
            addon_name="metrics-server",
            addon_version=METRICS_SERVER,
            preserve_on_delete=False,
        )

    def _build_keda(self) -> None:
        stage = self._deployment.stage
        namespace = objects(
            keda.namespace(stage), service_cidr=stage.service_cidr, network=stage.cidr
        )
        room = apply(self, "KedaNamespace", self._cluster, *namespace)
        chart = eks.HelmChart(
            self,
            "Keda",
            cluster=self._interface,
            chart="keda",
            repository=KEDA_CHARTS,
            version=KEDA_CHART,
            release="keda",
            namespace=keda.NAMESPACE,
            create_namespace=False,
            values=keda.values(self._deployment),
            wait=True,
            timeout=Duration.minutes(10),  # a node may have to start first
        )
        chart.node.add_dependency(room)
