"""kube-state-metrics: what Kubernetes wants and what it has, as numbers."""

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.access import in_cluster, rule
from cdk.kubernetes.observability.policies import (
    allow_from,
    api_server,
    pods,
    policy,
)
from cdk.kubernetes.observability.settings import NAMESPACES, Manifest, Settings
from cdk.kubernetes.observability.workloads import Component, deployment, service_account

NAME = "kube-state-metrics"
RESOURCES = {
    "": ("nodes", "pods", "persistentvolumeclaims", "resourcequotas"),
    "apps": ("daemonsets", "deployments", "statefulsets"),
}


def manifests(settings: Settings) -> list[Manifest]:
    watched = ",".join(sorted(one for group in RESOURCES.values() for one in group))
    component = Component(
        name=NAME,
        image=images.KUBE_STATE_METRICS,
        args=[
            "--port=8080",
            "--telemetry-port=8081",
            f"--resources={watched}",
            f"--namespaces={','.join(NAMESPACES)}",
        ],
        ports={"metrics": 8080, "telemetry": 8081},
        ready="/metrics",
        alive="/livez",
        cpu="100m",
        memory="256Mi",
        user=65534,
        talks_to_api=True,
    )
    return [
        service_account(NAME),
        *in_cluster(
            NAME,
            [rule(group, names, "list", "watch") for group, names in RESOURCES.items()],
        ),
        deployment(component, settings.one),
        policy(
            NAME,
            ingress=[allow_from(pods("prometheus"), 8080)],
            egress=[api_server(settings)],
        ),
    ]
