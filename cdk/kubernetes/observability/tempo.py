"""Tempo in one process, on a volume."""

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.policies import allow_from, pods, policy
from cdk.kubernetes.observability.settings import CONFIG, Manifest, Settings
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    service,
    service_account,
    stateful_set,
)

NAME = "tempo"
PORT, OTLP_GRPC = 3200, 4317


def manifests(settings: Settings) -> list[Manifest]:
    config = config_map(NAME, NAME, {"tempo.yaml": (CONFIG / "tempo.yaml").read_text("utf-8")})
    component = Component(
        name=NAME,
        image=images.TEMPO,
        args=["-config.file=/etc/tempo/tempo.yaml"],
        ports={"http": PORT, "otlp-grpc": OTLP_GRPC},
        ready="/ready",
        alive="/status/version",
        cpu="500m",
        memory="1Gi",
        user=10001,
        volumes={"/etc/tempo": {"configMap": {"name": NAME}}},
        config=config,
    )
    return [
        service_account(NAME),
        config,
        service(component),
        stateful_set(component, settings.one, path="/var/tempo", storage="20Gi"),
        policy(
            NAME,
            ingress=[
                allow_from(pods("grafana", "prometheus"), PORT),
                allow_from(pods("otel-collector"), OTLP_GRPC),
            ],
            egress=[],
        ),
    ]
