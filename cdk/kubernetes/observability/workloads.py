"""Pods as all components have them: not root, nothing writable, limited, probed."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cdk.kubernetes.cluster_wide import STORAGE_CLASS
from cdk.kubernetes.observability.settings import NAMESPACE, Manifest

_TOKEN: Final = re.compile(r"\$\{Token\[[^]]*\]\}")
"""What only a deployment knows stands in CDK's text under a number that differs between runs."""
NODES: Final = {"llmo/pool": "general"}
RESTRICTED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, kw_only=True)
class Component:
    """One container that serves HTTP; `volumes` are by the path they are mounted at."""

    name: str
    image: str
    args: Sequence[str]
    ports: Mapping[str, int]
    """The first is probed."""
    ready: str
    alive: str
    cpu: str
    memory: str
    user: int
    volumes: Mapping[str, Manifest] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    config: Manifest | None = None
    """A ConfigMap; when it changes, pods are made anew."""
    talks_to_api: bool = False
    grace_s: int = 60


def labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "llmo"}


def selector(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def meta(name: str, component: str | None = None, namespace: str = NAMESPACE) -> Manifest:
    return {"name": name, "namespace": namespace, "labels": labels(component or name)}


def config_map(name: str, component: str, data: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta(name, component),
        "data": dict(data),
    }


def service_account(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": meta(name),
        "automountServiceAccountToken": False,
    }


def service(component: Component, ports: Sequence[str] = (), *, headless: bool = False) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(component.name),
        "spec": {
            **({"clusterIP": "None"} if headless else {}),
            "selector": selector(component.name),
            "ports": [
                {"name": name, "port": component.ports[name], "targetPort": name}
                for name in ports or component.ports
            ],
        },
    }


def deployment(component: Component, replicas: int, **strategy: Any) -> Manifest:  # noqa: ANN401
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(component.name),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector(component.name)},
            **strategy,
            "template": _template(component),
        },
    }


def stateful_set(component: Component, replicas: int, *, path: str, storage: str) -> Manifest:
    """With one volume, mounted at `path`. It outlives a pause, but not the stage's removal."""
    template = _template(component)
    mounts = template["spec"]["containers"][0]["volumeMounts"]
    mounts.append({"name": "data", "mountPath": path})
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta(component.name),
        "spec": {
            "replicas": replicas,
            "serviceName": component.name,
            "selector": {"matchLabels": selector(component.name)},
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Delete",
                "whenScaled": "Retain",
            },
            "template": template,
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data", "labels": labels(component.name)},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": STORAGE_CLASS,
                        "resources": {"requests": {"storage": storage}},
                    },
                }
            ],
        },
    }


def disruption_budget(name: str) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta(name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(name)}},
    }


def _template(component: Component) -> Manifest:
    volumes = {f"volume-{i}": (path, what) for i, (path, what) in enumerate(_volumes(component))}
    config = _TOKEN.sub("", json.dumps(component.config, sort_keys=True))
    checksum = hashlib.sha256(config.encode()).hexdigest()
    return {
        "metadata": {
            "labels": labels(component.name),
            "annotations": {"llmo/config": checksum[:16]},
        },
        "spec": {
            "serviceAccountName": component.name,
            "automountServiceAccountToken": component.talks_to_api,
            "enableServiceLinks": False,
            "nodeSelector": dict(NODES),
            "terminationGracePeriodSeconds": component.grace_s,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": component.user,
                "runAsGroup": component.user,
                "fsGroup": component.user,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(component, volumes)],
            "volumes": [{"name": name, **what} for name, (_, what) in volumes.items()],
        },
    }


def _volumes(component: Component) -> list[tuple[str, Manifest]]:
    return sorted(component.volumes.items())


def _container(component: Component, volumes: Mapping[str, tuple[str, Manifest]]) -> Manifest:
    probed = next(iter(component.ports))
    return {
        "name": component.name,
        "image": component.image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(component.args),
        "env": [{"name": name, "value": text} for name, text in component.environment.items()],
        "ports": [{"name": name, "containerPort": port} for name, port in component.ports.items()],
        # Memory is no more than asked for, so that none is killed for another's hunger; CPU may
        # burst, a query or a replayed log needs it for seconds.
        "resources": {
            "requests": {"cpu": component.cpu, "memory": component.memory},
            "limits": {"cpu": "2", "memory": component.memory},
        },
        # A volume is replayed at start: minutes, not seconds.
        "startupProbe": _probe(component.ready, probed, period=10, failures=60),
        "readinessProbe": _probe(component.ready, probed, period=10, failures=3),
        "livenessProbe": _probe(component.alive, probed, period=20, failures=6),
        "securityContext": dict(RESTRICTED),
        "volumeMounts": [
            {"name": name, "mountPath": path, "readOnly": "emptyDir" not in what}
            for name, (path, what) in volumes.items()
        ],
    }


def _probe(path: str, port: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
