"""Alloy: pods' logs, read through the API server, to Loki.

Not from the nodes' disks: that would be a pod on every node which can read all of its logs from
a host folder. What it costs is load on the API server, little for some tens of pods.
"""

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.access import in_namespaces, rule
from cdk.kubernetes.observability.policies import (
    allow_from,
    allow_to,
    api_server,
    pods,
    policy,
)
from cdk.kubernetes.observability.settings import CONFIG, NAMESPACES, Manifest, Settings
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    deployment,
    service_account,
)

NAME = "alloy"
PORT = 12345


def manifests(settings: Settings) -> list[Manifest]:
    quoted = ", ".join(f'"{name}"' for name in NAMESPACES)
    text = (CONFIG / "logs.alloy").read_text("utf-8").replace("NAMESPACES", quoted)
    config = config_map(NAME, NAME, {"config.alloy": text})
    component = Component(
        name=NAME,
        image=images.ALLOY,
        args=[
            "run",
            "/etc/alloy/config.alloy",
            f"--server.http.listen-addr=0.0.0.0:{PORT}",
            "--storage.path=/var/lib/alloy",
            "--disable-reporting",
        ],
        ports={"http": PORT},
        ready="/-/ready",
        alive="/-/ready",  # "healthy" is not, while Loki is away: no reason to start again,
        cpu="250m",
        memory="512Mi",
        user=473,
        volumes={
            "/etc/alloy": {"configMap": {"name": NAME}},
            # How far each log was read. A new pod reads again what the nodes still have; Loki
            # keeps one of two equal lines.
            "/var/lib/alloy": {"emptyDir": {"sizeLimit": "256Mi"}},
        },
        config=config,
        talks_to_api=True,
    )
    return [
        service_account(NAME),
        *in_namespaces(
            NAME,
            [
                rule("", ["pods"], "get", "list", "watch"),
                rule("", ["pods/log"], "get"),
            ],
            NAMESPACES,
        ),
        config,
        # Two at once would send every line twice.
        deployment(component, settings.one, strategy={"type": "Recreate"}),
        policy(
            NAME,
            ingress=[allow_from(pods("prometheus"), PORT)],
            egress=[api_server(settings), allow_to(pods("loki"), 3100)],
        ),
    ]
