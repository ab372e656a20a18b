"""How objects come into the cluster: whatever is there already, and few at a time."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Final

import pytest

from tests.support.synth import STAGES, Template, resources, templates

MANIFEST: Final = "Custom::AWSCDK-EKS-KubernetesResource"
CHART: Final = "Custom::AWSCDK-EKS-HelmChart"
AT_ONCE: Final = 2  # each takes two Lambdas of ten


def waits_for(template: Template) -> Mapping[str, frozenset[str]]:
    """By logical id: all that must be there before, near and far."""
    every = resources(template)
    known: dict[str, frozenset[str]] = {}

    def of(name: str, *above: str) -> frozenset[str]:
        assert name not in above, f"a circle: {above}"
        if name not in known:
            near = named(every[name]) & every.keys()
            known[name] = frozenset(near).union(*(of(one, *above, name) for one in near))
        return known[name]

    return {name: of(name) for name in every}


def named(value: Any) -> set[str]:  # noqa: ANN401  (CloudFormation)
    """What it depends on, or refers to."""
    if isinstance(value, list):
        return {name for one in value for name in named(one)}
    if not isinstance(value, dict):
        return set()
    depends = value.get("DependsOn", [])
    found = {depends} if isinstance(depends, str) else set(depends)
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        target = value["Fn::GetAtt"]
        found.add(target[0] if isinstance(target, list) else target.split(".")[0])
    return found | {name for one in value.values() for name in named(one)}


@pytest.mark.parametrize("stage", STAGES)
def test_objects_that_are_there_are_applied_over(stage: str) -> None:
    """EKS makes some, a failed deploy leaves others."""
    found = [
        one["Properties"]
        for template in templates(stage).values()
        for one in resources(template, MANIFEST).values()
    ]
    assert found
    assert all(one.get("Overwrite") is True for one in found)


@pytest.mark.parametrize("stage", STAGES)
def test_no_more_than_two_are_applied_at_once(stage: str) -> None:
    for part, template in templates(stage).items():
        before = waits_for(template)
        applied = resources(template, MANIFEST, CHART)
        for some in combinations(applied, AT_ONCE + 1):
            ordered = any(
                one in before[other] or other in before[one] for one, other in combinations(some, 2)
            )
            assert ordered, f"{part}: {some}"
