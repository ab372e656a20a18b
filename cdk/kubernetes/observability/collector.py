"""OpenTelemetry Collector: traces in from the gateway and from engines, out to Tempo."""

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.policies import (
    allow_from,
    allow_to,
    block,
    pods,
    policy,
)
from cdk.kubernetes.observability.settings import CONFIG, ENGINES, Manifest, Settings
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    deployment,
    disruption_budget,
    meta,
    service,
    service_account,
)

NAME = "otel-collector"
OTLP_HTTP, OTLP_GRPC, HEALTH, METRICS = 4318, 4317, 13133, 8888


def manifests(settings: Settings) -> list[Manifest]:
    text = (CONFIG / "otel-collector.yaml").read_text("utf-8")
    config = config_map(NAME, NAME, {"otel-collector.yaml": text})
    component = Component(
        name=NAME,
        image=images.COLLECTOR,
        args=["--config=/etc/otel/otel-collector.yaml"],
        ports={
            "health": HEALTH,
            "otlp-http": OTLP_HTTP,
            "otlp-grpc": OTLP_GRPC,
            "metrics": METRICS,
        },
        ready="/",
        alive="/",
        cpu="250m",
        memory="512Mi",
        user=10001,
        volumes={"/etc/otel": {"configMap": {"name": NAME}}},
        config=config,
    )
    return [
        service_account(NAME),
        config,
        service(component, ["otlp-http", "otlp-grpc"]),
        deployment(component, settings.two),
        disruption_budget(NAME),
        _binding(settings),
        policy(
            NAME,
            ingress=[
                # The load balancer's addresses change, within subnets of its own; who may reach it
                # is up to its security group.
                allow_from(block(*settings.balancers), OTLP_HTTP, HEALTH),
                allow_from(pods(namespace=ENGINES), OTLP_HTTP, OTLP_GRPC),
                allow_from(pods("prometheus"), METRICS),
            ],
            egress=[
                allow_to(pods("tempo"), OTLP_GRPC),
                allow_to(pods("prometheus"), 9090),
            ],
        ),
    ]


def _binding(settings: Settings) -> Manifest:
    """Pods become targets of the internal load balancer."""
    return {
        "apiVersion": "eks.amazonaws.com/v1",
        "kind": "TargetGroupBinding",
        "metadata": meta(NAME),
        "spec": {
            "serviceRef": {"name": NAME, "port": OTLP_HTTP},
            "targetGroupARN": settings.collector_target_group_arn,
            "targetType": "ip",
        },
    }
