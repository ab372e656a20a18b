"""All of the namespace, by component."""

from collections.abc import Mapping

from cdk.kubernetes.observability import (
    alertmanager,
    collector,
    gpus,
    grafana,
    kube_state,
    logs,
    loki,
    prometheus,
    tempo,
)
from cdk.kubernetes.observability.settings import GPUS, Manifest, Settings


def components(settings: Settings) -> Mapping[str, list[Manifest]]:
    """The first goes before all others, some of which are in that namespace; these in any order."""
    return {
        GPUS: gpus.namespace(settings),
        "alertmanager": alertmanager.manifests(settings),
        "prometheus": prometheus.manifests(settings),
        "kube-state-metrics": kube_state.manifests(settings),
        "dcgm-exporter": gpus.manifests(),
        "loki": loki.manifests(settings),
        "tempo": tempo.manifests(settings),
        "otel-collector": collector.manifests(settings),
        "alloy": logs.manifests(settings),
        "grafana": grafana.manifests(settings),
    }
