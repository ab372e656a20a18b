"""Alertmanager: what Prometheus finds goes to the same SNS topic as CloudWatch's alarms."""

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.policies import (
    allow_from,
    allow_to,
    block,
    pods,
    policy,
)
from cdk.kubernetes.observability.settings import CONFIG, Manifest, Settings
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    deployment,
    service,
    service_account,
)

NAME = "alertmanager"
PORT = 9093


def manifests(settings: Settings) -> list[Manifest]:
    text = (CONFIG / "alertmanager.yml").read_text("utf-8")
    text = text.replace("TOPIC_ARN", settings.topic_arn).replace("REGION", settings.region)
    config = config_map(NAME, NAME, {"alertmanager.yml": text})
    component = Component(
        name=NAME,
        image=images.ALERTMANAGER,
        args=[
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            "--cluster.listen-address=",
        ],
        ports={"http": PORT},
        ready="/-/ready",
        alive="/-/healthy",
        cpu="100m",
        memory="128Mi",
        user=65534,
        volumes={
            "/etc/alertmanager": {"configMap": {"name": NAME}},
            "/alertmanager": {"emptyDir": {"sizeLimit": "256Mi"}},
        },
        config=config,
    )
    return [
        service_account(NAME),
        config,
        service(component),
        deployment(component, settings.one, strategy={"type": "Recreate"}),
        policy(
            NAME,
            ingress=[allow_from(pods("prometheus", "grafana"), PORT)],
            egress=[
                # SNS, through the NAT gateway or an endpoint: its addresses are not fixed.
                allow_to(block("0.0.0.0/0"), 443),
            ],
        ),
    ]
