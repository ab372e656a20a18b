"""Each rule about manifests catches what it is there for: a good object, and one thing wrong."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import pytest

from cdk.kubernetes.namespaces import Namespace, objects
from tests.support.kubernetes_pod_rules import POD_RULES
from tests.support.kubernetes_policy import EXCEPTIONS, findings
from tests.support.kubernetes_room_rules import ROOM_RULES
from tests.support.kubernetes_schema import errors

Manifest = dict[str, Any]
Change = Callable[[Sequence[Manifest]], object]

ENGINE: Final[Manifest] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "engine", "namespace": "llm-baseline"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "engine"}},
        "template": {
            "metadata": {"labels": {"app": "engine"}},
            "spec": {
                "serviceAccountName": "engine",
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "server",
                        "image": "registry.example:5000/lab/server:v1.2.3",
                        "args": ["--port", "8000"],
                        "ports": [{"name": "http", "containerPort": 8000}],
                        "env": [{"name": "API_KEY_FILE", "value": "/mnt/secrets/key"}],
                        "resources": {
                            "requests": {"cpu": "1", "memory": "1Gi"},
                            "limits": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "startupProbe": {"httpGet": {"path": "/health", "port": "http"}},
                        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}},
                        "livenessProbe": {"httpGet": {"path": "/health", "port": "http"}},
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        },
    },
}
ACCOUNT: Final[Manifest] = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "engine", "namespace": "llm-baseline"},
}
SECRET: Final[Manifest] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key", "namespace": "llm-baseline"},
    "stringData": {"key": "open"},
}
INGRESS: Final[Manifest] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "door", "namespace": "llm-baseline"},
    "spec": {"defaultBackend": {"service": {"name": "engine", "port": {"number": 80}}}},
}


def good() -> list[Manifest]:
    room = Namespace(name="llm-baseline", cpu=4, memory_gib=8, pods=2, gpus=1)
    made = objects(room, service_cidr="172.20.0.0/16", network="10.0.0.0/16")
    return deepcopy([*made, ACCOUNT, ENGINE])


def pod(manifests: Sequence[Manifest]) -> Manifest:
    spec: Manifest = manifests[-1]["spec"]["template"]["spec"]
    return spec


def container(manifests: Sequence[Manifest]) -> Manifest:
    first: Manifest = pod(manifests)["containers"][0]
    return first


def named(manifests: Sequence[Manifest], kind: str) -> Manifest:
    return next(one for one in manifests if one["kind"] == kind)


def setting(*path: str | int, to: object) -> Change:
    """A change within the container."""

    def change(manifests: Sequence[Manifest]) -> None:
        inner: Any = container(manifests)
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = to

    return change


def env(name: str, value: str) -> Change:
    return setting("env", to=[{"name": name, "value": value}])


def without(kind: str) -> Change:
    def change(manifests: Sequence[Manifest]) -> None:
        assert isinstance(manifests, list)
        manifests[:] = [one for one in manifests if one["kind"] != kind]

    return change


def with_(manifest: Manifest) -> Change:
    def change(manifests: Sequence[Manifest]) -> None:
        assert isinstance(manifests, list)
        manifests.insert(0, deepcopy(manifest))

    return change


BREACHES: Final[Mapping[str, Sequence[Change]]] = {
    "non_root": [
        lambda all_: pod(all_)["securityContext"].pop("runAsNonRoot"),
        setting("securityContext", "runAsUser", to=0),
        lambda all_: pod(all_).update(
            initContainers=[{"name": "i", "securityContext": {"runAsUser": 0}, "image": "a:1"}]
        ),
    ],
    "read_only_root": [setting("securityContext", "readOnlyRootFilesystem", to=False)],
    "no_escalation": [
        setting("securityContext", "allowPrivilegeEscalation", to=True),
        setting("securityContext", "privileged", to=True),
        lambda all_: container(all_).pop("securityContext"),
    ],
    "no_capabilities": [
        setting("securityContext", "capabilities", to={}),
        setting("securityContext", "capabilities", "add", to=["SYS_ADMIN"]),
    ],
    "seccomp": [
        lambda all_: pod(all_)["securityContext"].pop("seccompProfile"),
        setting("securityContext", "seccompProfile", to={"type": "Unconfined"}),
    ],
    "limited": [
        setting("resources", "requests", to={"cpu": "1"}),
        setting("resources", "limits", to={"memory": "1Gi", "nvidia.com/gpu": "1"}),
    ],
    "probed": [
        lambda all_: container(all_).pop("readinessProbe"),
        lambda all_: container(all_).pop("livenessProbe"),
        lambda all_: container(all_).pop("startupProbe"),
    ],
    "image_named": [
        setting("image", to="registry.example:5000/lab/server"),
        setting("image", to="lab/server:latest"),
        setting("image", to="server"),
    ],
    "no_secret_in_plain_text": [
        env("HF_TOKEN", "open-sesame"),
        env("GREETING", "hf_" + "a" * 30),
        setting("args", to=["--api-key", "sk-" + "a" * 30]),
    ],
    "one_gpu": [
        setting("resources", "limits", to={"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "2"}),
        setting("resources", "limits", to={"cpu": "1", "memory": "1Gi"}),
        lambda all_: all_[-1]["metadata"].update(namespace="kube-system"),
    ],
    "host": [
        lambda all_: pod(all_).update(hostNetwork=True),
        lambda all_: pod(all_).update(volumes=[{"name": "h", "hostPath": {"path": "/"}}]),
        setting("ports", to=[{"containerPort": 80, "hostPort": 80}]),
    ],
    "no_secret_objects": [
        with_(SECRET),
        with_(SECRET | {"kind": "ConfigMap", "data": {"config": "token: hf_" + "a" * 30}}),
    ],
    "token_only_where_needed": [
        lambda all_: pod(all_).pop("automountServiceAccountToken"),
        lambda all_: pod(all_).pop("serviceAccountName"),
    ],
    "namespace_exists": [lambda all_: all_[-1]["metadata"].update(namespace="nowhere")],
    "namespace_denies": [
        without("NetworkPolicy"),
        lambda all_: named(all_, "NetworkPolicy")["spec"].update(policyTypes=["Ingress"]),
        lambda all_: named(all_, "NetworkPolicy")["spec"].update(ingress=[{}]),
        lambda all_: named(all_, "NetworkPolicy")["spec"].update(
            podSelector={"matchLabels": {"app": "engine"}}
        ),
    ],
    "namespace_restricts": [
        lambda all_: named(all_, "Namespace")["metadata"]["labels"].clear(),
        lambda all_: named(all_, "Namespace")["metadata"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "privileged"}
        ),
    ],
    "namespace_limits": [without("ResourceQuota"), without("LimitRange")],
    "nothing_public": [
        with_(INGRESS),
        with_(INGRESS | {"kind": "Service", "spec": {"type": "LoadBalancer"}}),
    ],
}


def test_the_good_objects_are_good() -> None:
    assert findings(good()) == []
    assert [error for manifest in good() for error in errors(manifest)] == []


def test_every_rule_has_a_breach() -> None:
    assert {rule.__name__ for rule in (*POD_RULES, *ROOM_RULES)} == set(BREACHES)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        pytest.param(rule, change, id=f"{rule}-{number}")
        for rule, changes in BREACHES.items()
        for number, change in enumerate(changes)
    ],
)
def test_a_breach_is_found(rule: str, change: Change) -> None:
    manifests = good()
    change(manifests)
    assert any(f"{rule}: " in finding for finding in findings(manifests))


def test_rights_at_the_api_excuse_a_token() -> None:
    manifests = good()
    del pod(manifests)["automountServiceAccountToken"]
    subject = {"kind": "ServiceAccount", "namespace": "llm-baseline", "name": "engine"}
    with_(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "engine"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "r",
            },
            "subjects": [subject],
        }
    )(manifests)
    assert findings(manifests) == []


def test_an_exception_excuses_its_workload_only() -> None:
    rule, workload = next(iter(EXCEPTIONS))
    assert rule == "non_root"
    manifests = good()
    pod(manifests)["securityContext"]["runAsUser"] = 0
    assert findings(manifests)
    manifests[-1]["metadata"]["name"] = workload
    assert not [one for one in findings(manifests) if rule in one]
