"""Every image of the namespace, by version. A digest would go behind the tag: `:v1@sha256:…`."""

from typing import Final

ALERTMANAGER: Final = "quay.io/prometheus/alertmanager:v0.33.0"
ALLOY: Final = "docker.io/grafana/alloy:v1.19.1"
COLLECTOR: Final = "docker.io/otel/opentelemetry-collector-contrib:0.157.0"
DCGM_EXPORTER: Final = "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.2-4.8.1-ubuntu22.04"
GRAFANA: Final = "docker.io/grafana/grafana:13.2.0"
KUBE_STATE_METRICS: Final = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.19.1"
LOKI: Final = "docker.io/grafana/loki:3.7.5"
PROMETHEUS: Final = "quay.io/prometheus/prometheus:v3.13.2"
TEMPO: Final = "docker.io/grafana/tempo:2.10.8"  # 3 has no compactor section any more
