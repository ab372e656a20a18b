"""What every pod of telemetry must be, whatever it does."""

from decimal import Decimal
from typing import Any

import pytest

from cdk.kubernetes.cluster_wide import STORAGE_CLASS
from cdk.kubernetes.namespaces import namespaces
from cdk.kubernetes.observability.settings import GPUS, NAMESPACE
from cdk.stages import load_stages
from gpu_fleet.engines import load_fleet
from tests.support.observability import PAUSED, WORKLOADS, objects, of_kind

# The exporter writes the linker's cache anew, so it is root, in a namespace of its own.
ROOT_IN_ITS_OWN_NAMESPACE = "dcgm-exporter"
_UNITS = {"m": Decimal("0.001"), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}

workloads = pytest.mark.parametrize(
    "workload", of_kind(*WORKLOADS), ids=lambda one: one["metadata"]["name"]
)


def _pod(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def _amount(text: str) -> Decimal:
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    return Decimal(text.removesuffix(unit)) * _UNITS.get(unit, Decimal(1))


@workloads
def test_a_container_can_change_nothing_and_gain_nothing(workload: dict[str, Any]) -> None:
    pod = _pod(workload)
    for container in pod["containers"]:
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert "privileged" not in security
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["enableServiceLinks"] is False
    if workload["metadata"]["name"] != ROOT_IN_ITS_OWN_NAMESPACE:
        assert workload["metadata"]["namespace"] == NAMESPACE
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert all(one["securityContext"]["readOnlyRootFilesystem"] for one in pod["containers"])
        assert not any("hostPath" in volume for volume in pod["volumes"])


def test_only_the_gpu_exporter_mounts_something_of_a_node_and_that_is_nothing() -> None:
    mounted = {
        workload["metadata"]["name"]: volume["hostPath"]["path"]
        for workload in of_kind(*WORKLOADS)
        for volume in _pod(workload)["volumes"]
        if "hostPath" in volume
    }
    assert mounted == {ROOT_IN_ITS_OWN_NAMESPACE: "/dev/null"}


@workloads
def test_a_container_is_probed_and_limited(workload: dict[str, Any]) -> None:
    for container in _pod(workload)["containers"]:
        named = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] in named
        resources = container["resources"]
        assert resources["limits"]["memory"] == resources["requests"]["memory"]
        assert _amount(resources["limits"]["cpu"]) >= _amount(resources["requests"]["cpu"])


@workloads
def test_an_image_is_pinned_to_a_version(workload: dict[str, Any]) -> None:
    for container in _pod(workload)["containers"]:
        registry, _, tag = container["image"].rpartition(":")
        assert "." in registry.split("/")[0], "the registry is named"
        assert any(digit.isdigit() for digit in tag)
        assert "latest" not in tag


@workloads
def test_only_who_asks_the_api_server_has_a_token(workload: dict[str, Any]) -> None:
    asks = {
        subject["name"]
        for binding in of_kind("ClusterRoleBinding", "RoleBinding")
        for subject in binding["subjects"]
    }
    name = workload["metadata"]["name"]
    assert _pod(workload)["serviceAccountName"] == name
    assert _pod(workload)["automountServiceAccountToken"] is (name in asks)


def test_roles_read_and_nothing_else() -> None:
    rules = [rule for role in of_kind("ClusterRole") for rule in role["rules"]]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert not resources & {"*", "secrets", "configmaps", "nodes/proxy", "pods/exec"}


@pytest.mark.parametrize("stage", load_stages().values(), ids=lambda one: one.name)
def test_all_of_it_fits_its_quota(stage: Any) -> None:  # noqa: ANN401
    [quota] = [one for one in namespaces(stage, load_fleet()) if one.name == NAMESPACE]
    cpu = memory = pods = Decimal(0)
    for workload in of_kind("Deployment", "StatefulSet"):
        # One more while it is replaced, where old and new overlap.
        rolling = workload["kind"] == "Deployment" and "strategy" not in workload["spec"]
        count = Decimal(workload["spec"]["replicas"] + rolling)
        pods += count
        for container in _pod(workload)["containers"]:
            cpu += count * _amount(container["resources"]["requests"]["cpu"])
            memory += count * _amount(container["resources"]["requests"]["memory"])
    assert cpu <= quota.cpu
    assert memory <= quota.memory_gib * 2**30
    assert pods <= quota.pods


def test_the_gpu_exporter_fits_the_quota_of_its_namespace() -> None:
    [quota] = [one for one in of_kind("ResourceQuota") if one["metadata"]["namespace"] == GPUS]
    [exporter] = of_kind("DaemonSet")
    requests = _pod(exporter)["containers"][0]["resources"]["requests"]
    gpus = 8
    assert gpus * _amount(requests["cpu"]) <= _amount(quota["spec"]["hard"]["requests.cpu"])
    assert gpus * _amount(requests["memory"]) <= _amount(quota["spec"]["hard"]["requests.memory"])
    assert gpus <= int(quota["spec"]["hard"]["pods"])


def test_while_paused_nothing_runs_but_volumes_stay() -> None:
    for workload in of_kind("Deployment", "StatefulSet", settings=PAUSED):
        assert workload["spec"]["replicas"] == 0, workload["metadata"]["name"]
    for one in of_kind("StatefulSet", settings=PAUSED):
        assert one["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


def test_no_volume_outlives_the_stage() -> None:
    sets = of_kind("StatefulSet")
    assert {one["metadata"]["name"] for one in sets} == {"prometheus", "loki", "tempo"}
    for one in sets:
        assert one["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"
        [claim] = one["spec"]["volumeClaimTemplates"]
        assert claim["spec"]["storageClassName"] == STORAGE_CLASS
    assert not of_kind("PersistentVolumeClaim")


def test_a_change_of_configuration_makes_pods_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def checksums() -> dict[str, str]:
        return {
            one["metadata"]["name"]: one["spec"]["template"]["metadata"]["annotations"][
                "llmo/config"
            ]
            for one in of_kind(*WORKLOADS)
        }

    before = checksums()
    monkeypatch.setattr("cdk.kubernetes.observability.logs.NAMESPACES", ("elsewhere",))
    after = checksums()
    assert {name for name in before if before[name] != after[name]} == {"alloy"}


def test_no_secret_is_in_any_object() -> None:
    assert not of_kind("Secret")
    for one in objects():
        assert "password" not in str(one).replace("admin-password", "").lower().replace(
            "gf_security_admin_password__file", ""
        )
