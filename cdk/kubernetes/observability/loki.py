"""Loki in one process, on a volume: nothing to grant, nothing left behind when a stage goes."""

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

NAME = "loki"
PORT = 3100


def manifests(settings: Settings) -> list[Manifest]:
    config = config_map(NAME, NAME, {"loki.yaml": (CONFIG / "loki.yaml").read_text("utf-8")})
    component = Component(
        name=NAME,
        image=images.LOKI,
        args=["-config.file=/etc/loki/loki.yaml"],
        ports={"http": PORT},
        ready="/ready",
        alive="/loki/api/v1/status/buildinfo",
        cpu="500m",
        memory="1Gi",
        user=10001,
        volumes={"/etc/loki": {"configMap": {"name": NAME}}},
        config=config,
    )
    return [
        service_account(NAME),
        config,
        service(component),
        stateful_set(component, settings.one, path="/loki", storage="20Gi"),
        policy(
            NAME,
            ingress=[allow_from(pods("alloy", "grafana", "prometheus"), PORT)],
            egress=[],
        ),
    ]
