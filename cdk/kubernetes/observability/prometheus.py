"""Prometheus: scrapes everything, keeps it for 15 days, decides what is wrong."""

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.access import in_cluster, in_namespaces, rule
from cdk.kubernetes.observability.policies import (
    allow_from,
    allow_to,
    api_server,
    block,
    pods,
    policy,
)
from cdk.kubernetes.observability.settings import (
    CONFIG,
    ENGINES,
    GPUS,
    NAMESPACE,
    Manifest,
    Settings,
)
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    service,
    service_account,
    stateful_set,
)

NAME = "prometheus"
PORT = 9090
KUBELET = 10250
RETENTION = "15d"


def manifests(settings: Settings) -> list[Manifest]:
    main = config_map(NAME, NAME, {"prometheus.yml": _text("prometheus.yml")})
    rules = config_map(
        f"{NAME}-rules",
        NAME,
        {path.name: path.read_text("utf-8") for path in sorted((CONFIG / "rules").glob("*.yml"))},
    )
    component = _component({"main": main["data"], "rules": rules["data"]})
    return [
        service_account(NAME),
        *_access(),
        main,
        rules,
        service(component),
        stateful_set(component, settings.one, path="/prometheus", storage="50Gi"),
        _policy(settings),
    ]


def _component(config: Manifest) -> Component:
    return Component(
        name=NAME,
        image=images.PROMETHEUS,
        args=[
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus/data",
            f"--storage.tsdb.retention.time={RETENTION}",
            # A full volume would stop everything: old samples go earlier instead.
            "--storage.tsdb.retention.size=40GB",
            "--web.enable-otlp-receiver",
        ],
        ports={"http": PORT},
        ready="/-/ready",
        alive="/-/healthy",
        cpu="1",
        memory="3Gi",
        user=65534,
        volumes={
            "/etc/prometheus": {"configMap": {"name": NAME}},
            "/etc/prometheus-rules": {"configMap": {"name": f"{NAME}-rules"}},
        },
        config=config,
        talks_to_api=True,
        grace_s=120,
    )


def _access() -> list[Manifest]:
    """`nodes/metrics` reads a kubelet's metrics and nothing else; `nodes/proxy` could run commands
    in any pod.
    """
    return [
        *in_cluster(
            NAME,
            [rule("", ["nodes"], "get", "list", "watch"), rule("", ["nodes/metrics"], "get")],
        ),
        *in_namespaces(
            NAME, [rule("", ["pods"], "get", "list", "watch")], (ENGINES, GPUS, NAMESPACE)
        ),
    ]


def _policy(settings: Settings) -> Manifest:
    askers = [*pods("grafana", "otel-collector", NAME), *pods(namespace="keda")]
    return policy(
        NAME,
        ingress=[allow_from(askers, PORT)],
        egress=[
            api_server(settings),
            allow_to(block(settings.cidr), KUBELET),
            allow_to(pods(namespace=ENGINES), 8000),
            allow_to(pods(NAME), PORT),
            allow_to(pods("otel-collector"), 8888),
            allow_to(pods("kube-state-metrics"), 8080),
            allow_to(pods(namespace=GPUS), 9400),
            allow_to(pods("alertmanager"), 9093),
            allow_to(pods("loki"), 3100),
            allow_to(pods("tempo"), 3200),
            allow_to(pods("alloy"), 12345),
            allow_to(pods("grafana"), 3000),
        ],
    )


def _text(name: str) -> str:
    return (CONFIG / name).read_text("utf-8")
