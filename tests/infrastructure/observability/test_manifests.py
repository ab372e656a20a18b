"""Every object by the strict schema of the cluster's Kubernetes."""

from typing import Any

import kubernetes_validate
import pytest

from cdk.constructs.cluster.cluster import KUBERNETES
from cdk.kubernetes.namespaces import namespaces
from cdk.kubernetes.observability.components import components
from cdk.stages import load_stage
from gpu_fleet.engines import load_fleet
from tests.support.observability import SETTINGS, objects

# Kinds of EKS and of the secrets driver have no schema there.
OTHERS = {"TargetGroupBinding", "SecretProviderClass"}


@pytest.mark.parametrize(
    "manifest",
    [one for one in objects() if one["kind"] not in OTHERS],
    ids=lambda one: f"{one['kind']}-{one['metadata']['name']}",
)
def test_it_is_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_namespace_of_an_object_is_there_before_it() -> None:
    """Components are applied side by side, but for the first."""
    made = {one.name for one in namespaces(load_stage("dev"), load_fleet())}
    first, *others = components(SETTINGS).values()
    made |= {one["metadata"]["name"] for one in first if one["kind"] == "Namespace"}
    assert not [one for group in others for one in group if one["kind"] == "Namespace"]
    for one in objects():
        assert one["metadata"].get("namespace") in made | {None}, one["metadata"]


def test_no_two_objects_are_one() -> None:
    identities = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"])
        for one in objects()
    ]
    assert len(set(identities)) == len(identities)
