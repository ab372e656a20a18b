"""Telemetry's objects as a stage would have them, with made-up addresses."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from cdk.kubernetes.observability.components import components
from cdk.kubernetes.observability.settings import Settings

WORKLOADS: Final = {"Deployment", "StatefulSet", "DaemonSet"}
SETTINGS: Final = Settings(
    region="us-west-2",
    cidr="10.0.0.0/16",
    balancers=("10.0.1.0/27", "10.0.1.32/27", "10.0.1.64/27"),
    service_cidr="172.20.0.0/16",
    topic_arn="arn:aws:sns:us-west-2:111122223333:llmo-dev-alarms",
    grafana_secret_arn="arn:aws:secretsmanager:us-west-2:111122223333:secret:llmo/dev/grafana-abcdef",
    collector_target_group_arn=(
        "arn:aws:elasticloadbalancing:us-west-2:111122223333:targetgroup/otel/0123456789abcdef"
    ),
    gpus=8,
)
PAUSED: Final = replace(SETTINGS, paused=True)


def objects(settings: Settings = SETTINGS) -> list[dict[str, Any]]:
    return [one for group in components(settings).values() for one in group]


def of_kind(*kinds: str, settings: Settings = SETTINGS) -> list[dict[str, Any]]:
    return [one for one in objects(settings) if one["kind"] in kinds]


def pods(manifests: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Templates of pods, with `labels` and `spec`."""
    for one in manifests:
        if one["kind"] in WORKLOADS:
            template = one["spec"]["template"]
            yield {"labels": template["metadata"]["labels"], "spec": template["spec"]}
