"""What no set of objects may lack or add: around pods, and between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from tests.support.kubernetes_pod_rules import TELLING_VALUE
from tests.support.kubernetes_pods import workloads

Manifest = Mapping[str, Any]
RoomRule = Callable[[Sequence[Manifest]], Iterator[str]]

BUILT_IN: Final = frozenset({"default", "kube-system"})


def no_secret_objects(manifests: Sequence[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        if manifest["kind"] == "Secret" and (manifest.get("data") or manifest.get("stringData")):
            yield f"Secret {name} has its data in the template"
        if manifest["kind"] == "ConfigMap":
            for key, text in manifest.get("data", {}).items():
                if TELLING_VALUE.search(text):
                    yield f"ConfigMap {name} has a secret in {key}"


def token_only_where_needed(manifests: Sequence[Manifest]) -> Iterator[str]:
    """The API's token is mounted only for accounts that a binding gives rights there."""
    bound = {
        (subject["namespace"], subject["name"])
        for manifest in manifests
        if manifest["kind"] in {"RoleBinding", "ClusterRoleBinding"}
        for subject in manifest["subjects"]
        if subject["kind"] == "ServiceAccount"
    }
    made = {
        (one["metadata"]["namespace"], one["metadata"]["name"])
        for one in manifests
        if one["kind"] == "ServiceAccount"
    }
    for workload in workloads(manifests):
        account = (workload.namespace, workload.pod.get("serviceAccountName", "default"))
        if workload.pod.get("automountServiceAccountToken") is not False and account not in bound:
            yield f"{workload} has a token of an account without rights"
        if account not in made:
            yield f"{workload} runs as {account[1]}, which nothing here makes"


def namespace_exists(manifests: Sequence[Manifest]) -> Iterator[str]:
    made = _namespaces(manifests).keys() | BUILT_IN
    for manifest in manifests:
        namespace = manifest["metadata"].get("namespace")
        if namespace and namespace not in made:
            yield f"{manifest['kind']} {manifest['metadata']['name']}: nothing makes {namespace}"


def namespace_denies(manifests: Sequence[Manifest]) -> Iterator[str]:
    closed = {
        one["metadata"]["namespace"]
        for one in manifests
        if one["kind"] == "NetworkPolicy"
        and one["spec"]["podSelector"] == {}
        and set(one["spec"].get("policyTypes", ())) == {"Ingress", "Egress"}
        and not one["spec"].get("ingress")
        and not one["spec"].get("egress")
    }
    for name in _namespaces(manifests):
        if name not in closed:
            yield f"{name} is open to whatever no policy names"


def namespace_restricts(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Kubernetes refuses what these rules would; where it doesn't, the namespace says why."""
    for name, namespace in _namespaces(manifests).items():
        metadata = namespace["metadata"]
        level = metadata.get("labels", {}).get("pod-security.kubernetes.io/enforce")
        reason = metadata.get("annotations", {}).get("llmo/pod-security-exception")
        if level != "restricted" and not (level and reason):
            yield f"{name} enforces {level or 'nothing'}"


def namespace_limits(manifests: Sequence[Manifest]) -> Iterator[str]:
    for kind in ("ResourceQuota", "LimitRange"):
        have = {one["metadata"]["namespace"] for one in manifests if one["kind"] == kind}
        for name in _namespaces(manifests).keys() - have:
            yield f"{name} has no {kind}"


def nothing_public(manifests: Sequence[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        kind = manifest["kind"]
        name = manifest["metadata"]["name"]
        if kind == "Ingress" or manifest.get("spec", {}).get("type") in {
            "LoadBalancer",
            "NodePort",
        }:
            yield f"{kind} {name} makes a way in"


def _namespaces(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Namespace"}


ROOM_RULES: Final[Sequence[RoomRule]] = (
    no_secret_objects,
    token_only_where_needed,
    namespace_exists,
    namespace_denies,
    namespace_restricts,
    namespace_limits,
    nothing_public,
)
