"""What is deployed into a namespace has room there: the cluster would refuse it without a word to
whoever deploys.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import pytest

from cdk.stages import load_stages
from tests.support.kubernetes_pods import Workload, workloads
from tests.support.synth import STAGES, manifests

FACTORS: Final = {"m": 1e-3, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "": 1.0}
COUNTED: Final = {
    "requests.cpu": "cpu",
    "requests.memory": "memory",
    "requests.nvidia.com/gpu": "nvidia.com/gpu",
}
NAMESPACES: Final = {"platform", "quant", "finetune", "eval", "observability", "llm-baseline"}


@pytest.mark.parametrize("stage", STAGES)
def test_every_team_has_a_namespace(stage: str) -> None:
    made = {one["metadata"]["name"] for one in manifests(stage) if one["kind"] == "Namespace"}
    assert made >= NAMESPACES


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_deployed_fits_its_quota(stage: str) -> None:
    asked = requested(stage)
    for namespace, hard in quotas(stage).items():
        for key, wanted in asked.get(namespace, {}).items():
            assert wanted <= hard[key], f"{namespace}: {key}: {wanted} of {hard[key]}"


def quotas(stage: str) -> Mapping[str, Mapping[str, float]]:
    return {
        one["metadata"]["namespace"]: {
            key: number(value) for key, value in one["spec"]["hard"].items()
        }
        for one in manifests(stage)
        if one["kind"] == "ResourceQuota"
    }


def requested(stage: str) -> Mapping[str, Mapping[str, float]]:
    """With the fewest replicas of engines: more come only as far as quota and GPUs reach."""
    total: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    counts = replicas(stage)
    for workload in workloads(manifests(stage)):
        count = counts[workload.kind, workload.namespace, workload.name]
        room = total[workload.namespace]
        room["pods"] += count
        for key, resource in COUNTED.items():
            room[key] += count * needs(workload, resource)
    return total


def replicas(stage: str) -> Mapping[tuple[str, str, str], int]:
    objects = manifests(stage)
    scaled = {
        (one["metadata"]["namespace"], one["spec"]["scaleTargetRef"]["name"]): one
        for one in objects
        if one["kind"] == "ScaledObject"
    }
    counts = {}
    for one in objects:
        place = (one["metadata"].get("namespace", ""), one["metadata"]["name"])
        if one["kind"] == "DaemonSet":  # on each GPU node, at most
            count = load_stages()[stage].gpu.limit
        elif place in scaled:
            count = scaled[place]["spec"]["minReplicaCount"]
        else:
            count = one.get("spec", {}).get("replicas", 1)
        counts[one["kind"], *place] = count
    return counts


def needs(workload: Workload, resource: str) -> float:
    """As the scheduler counts: the hungriest of those that come first, or all others together."""
    first = [one["name"] for one in workload.pod.get("initContainers", ())]
    wants: dict[str, float] = {
        one.name: number(one.resources("requests").get(resource, 0)) for one in workload.containers
    }
    together = sum(want for name, want in wants.items() if name not in first)
    return max([together, *(wants[name] for name in first)])


def number(quantity: Any) -> float:  # noqa: ANN401  (a number, or text)
    text = str(quantity)
    digits = text.rstrip("mKMGi")
    return float(digits) * FACTORS[text.removeprefix(digits)]


@pytest.mark.parametrize(("text", "value"), [("250m", 0.25), ("2", 2), ("3.0", 3), ("1Ki", 1024)])
def test_quantities_are_read(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)
