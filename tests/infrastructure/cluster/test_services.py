"""Node pools, add-ons and charts, and in which order they come and go."""

import json
from typing import Any

import pytest

from tests.support.synth import STAGES, resources, templates

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
CHART = "Custom::AWSCDK-EKS-HelmChart"


def found(kind: str, *context: str, stage: str = "dev") -> dict[str, dict[str, Any]]:
    return resources(templates(stage, *context)["cluster"], kind)


def manifest_of(kind: str) -> str:
    """The logical id of the resource that applies this kind."""
    return next(
        name
        for name, one in found(MANIFEST).items()
        if f'"kind":"{kind}"' in json.dumps(one).replace("\\", "")
    )


def add_ons(*context: str) -> dict[str, dict[str, Any]]:
    return {
        one["Properties"]["AddonName"]: one["Properties"]
        for one in found("AWS::EKS::Addon", *context).values()
    }


def test_a_node_class_comes_after_its_role_may_join() -> None:
    entries = {
        name
        for name, one in found("AWS::EKS::AccessEntry").items()
        if one["Properties"].get("Type") == "EC2"
    }
    assert entries <= set(found(MANIFEST)[manifest_of("NodeClass")]["DependsOn"])


def test_pools_come_after_their_class_and_go_before_it() -> None:
    depends = found(MANIFEST)[manifest_of("NodePool")]["DependsOn"]
    assert manifest_of("NodeClass") in depends


def test_no_node_runs_before_network_policies_are_enforced() -> None:
    depends = found(MANIFEST)[manifest_of("NodePool")]["DependsOn"]
    assert manifest_of("ConfigMap") in depends


@pytest.mark.parametrize("kind", ["AWS::EKS::Addon", CHART])
def test_what_needs_nodes_comes_after_them(kind: str) -> None:
    for one in found(kind).values():
        assert manifest_of("NodePool") in one["DependsOn"]


def test_add_ons_are_what_auto_mode_lacks_in_a_pinned_version() -> None:
    assert add_ons().keys() == {"metrics-server", "aws-secrets-store-csi-driver-provider"}
    assert all("-eksbuild." in one["AddonVersion"] for one in add_ons().values())
    assert not any(one["PreserveOnDelete"] for one in add_ons().values())


def test_secrets_reach_engines_and_follow_their_rotation() -> None:
    values = json.loads(add_ons()["aws-secrets-store-csi-driver-provider"]["ConfigurationValues"])
    assert values["tolerations"] == [{"operator": "Exists"}]
    assert values["secrets-store-csi-driver"]["enableSecretRotation"] is True
    assert values["secrets-store-csi-driver"]["syncSecret"] == {"enabled": True}


def test_a_paused_stage_has_no_add_on_that_keeps_a_node() -> None:
    assert add_ons("paused=true").keys() == {"aws-secrets-store-csi-driver-provider"}


@pytest.mark.parametrize("stage", STAGES)
def test_charts_are_pinned(stage: str) -> None:
    (keda,) = found(CHART, stage=stage).values()
    assert keda["Properties"]["Chart"] == "keda"
    assert keda["Properties"]["Version"] == "2.21.1"
    assert keda["Properties"]["Repository"] == "https://kedacore.github.io/charts"


def test_a_paused_stage_runs_no_autoscaler() -> None:
    (keda,) = found(CHART, "paused=true").values()
    values = json.loads(keda["Properties"]["Values"])
    parts = ("operator", "metricsServer", "webhooks")
    assert [values[part]["replicaCount"] for part in parts] == [0, 0, 0]


def test_kedas_namespace_is_there_before_its_chart() -> None:
    (keda,) = found(CHART).values()
    assert manifest_of("Namespace") in keda["DependsOn"]
    assert keda["Properties"].get("CreateNamespace") is not True
