"""Grafana: no state of its own, all that it shows comes from files.

A dashboard is a JSON file under `grafana/dashboards/`; nothing else is to be done for it.
"""

import json

from cdk.kubernetes.observability import images
from cdk.kubernetes.observability.policies import allow_from, allow_to, pods, policy
from cdk.kubernetes.observability.settings import CONFIG, DASHBOARDS, Manifest, Settings
from cdk.kubernetes.observability.workloads import (
    Component,
    config_map,
    deployment,
    meta,
    service,
    service_account,
)

NAME = "grafana"
PORT = 3000
SECRETS = "/mnt/secrets"
ENVIRONMENT = {
    "GF_SECURITY_ADMIN_USER": "admin",
    "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{SECRETS}/admin-password",
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_USERS_ALLOW_SIGN_UP": "false",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    # It can't reach the internet, and shall not try.
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_METRICS_ENABLED": "true",
    "GF_LOG_MODE": "console",
    "GF_PATHS_LOGS": "/var/lib/grafana/log",
}


def manifests(settings: Settings) -> list[Manifest]:
    provisioning = [
        config_map(f"{NAME}-{kind}", NAME, {f"{kind}.yaml": _text(f"grafana/{kind}.yaml")})
        for kind in ("datasources", "dashboards")
    ]
    dashboards = [
        config_map(f"{NAME}-dashboard-{path.stem}", NAME, {path.name: path.read_text("utf-8")})
        for path in sorted(DASHBOARDS.glob("*.json"))
    ]
    component = _component(provisioning, dashboards)
    return [
        service_account(NAME),
        *provisioning,
        *dashboards,
        _secret(settings),
        service(component),
        deployment(component, settings.one),
        _policy(),
    ]


def _component(provisioning: list[Manifest], dashboards: list[Manifest]) -> Component:
    return Component(
        name=NAME,
        image=images.GRAFANA,
        args=[],
        ports={"http": PORT},
        ready="/api/health",
        alive="/api/health",
        cpu="250m",
        memory="512Mi",
        user=472,
        volumes={
            "/etc/grafana/provisioning/dashboards": _from_maps([provisioning[1]]),
            "/etc/grafana/provisioning/datasources": _from_maps([provisioning[0]]),
            # One map a dashboard: together they could outgrow a map's megabyte.
            "/etc/dashboards": _from_maps(dashboards),
            "/var/lib/grafana": {"emptyDir": {"sizeLimit": "1Gi"}},
            "/tmp": {"emptyDir": {"sizeLimit": "256Mi"}},  # noqa: S108  (the container's own)
            SECRETS: {
                "csi": {
                    "driver": "secrets-store.csi.k8s.io",
                    "readOnly": True,
                    "volumeAttributes": {"secretProviderClass": NAME},
                }
            },
        },
        environment=ENVIRONMENT,
        config={one["metadata"]["name"]: one["data"] for one in (*provisioning, *dashboards)},
    )


def _from_maps(maps: list[Manifest]) -> Manifest:
    return {
        "projected": {"sources": [{"configMap": {"name": one["metadata"]["name"]}} for one in maps]}
    }


def _secret(settings: Settings) -> Manifest:
    """The password comes as a file from Secrets Manager, by the pod's own identity."""
    wanted = [
        {
            "objectName": settings.grafana_secret_arn,
            "objectType": "secretsmanager",
            "objectAlias": "admin-password",
        }
    ]
    return {
        "apiVersion": "secrets-store.csi.x-k8s.io/v1",
        "kind": "SecretProviderClass",
        "metadata": meta(NAME),
        "spec": {
            "provider": "aws",
            "parameters": {
                "region": settings.region,
                "usePodIdentity": "true",
                "objects": json.dumps(wanted),  # which is YAML
            },
        },
    }


def _policy() -> Manifest:
    """People come by port-forward, which network policies don't see."""
    return policy(
        NAME,
        ingress=[allow_from(pods("prometheus"), PORT)],
        egress=[
            allow_to(pods("prometheus"), 9090),
            allow_to(pods("loki"), 3100),
            allow_to(pods("tempo"), 3200),
            allow_to(pods("alertmanager"), 9093),
        ],
    )


def _text(name: str) -> str:
    return (CONFIG / name).read_text("utf-8")
