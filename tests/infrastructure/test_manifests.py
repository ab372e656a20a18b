"""Every Kubernetes object of every stage, and of the paused one: valid, and within the rules."""

from typing import Any, Final

import pytest

from cdk.constructs.cluster.cluster import KUBERNETES
from tests.support.kubernetes_pod_rules import POD_RULES
from tests.support.kubernetes_pods import workloads
from tests.support.kubernetes_policy import EXCEPTIONS, findings
from tests.support.kubernetes_schema import VERSION, carried_versions, errors
from tests.support.synth import STAGES, manifests, templates

SYNTHS: Final = (*((stage,) for stage in STAGES), ("dev", "paused=true"))


def test_schemas_are_of_the_clusters_version() -> None:
    """The package would silently take an older version's."""
    assert VERSION in carried_versions()
    assert VERSION == KUBERNETES


@pytest.mark.parametrize("synth", SYNTHS, ids="-".join)
def test_every_object_is_valid(synth: tuple[str, ...]) -> None:
    assert [error for manifest in manifests(*synth) for error in errors(manifest)] == []


@pytest.mark.parametrize("synth", SYNTHS, ids="-".join)
def test_every_object_keeps_the_rules(synth: tuple[str, ...]) -> None:
    assert findings(manifests(*synth)) == []


def test_every_exception_is_used() -> None:
    """One that nobody needs any more would hide the next breach."""
    needed = {
        (rule.__name__, workload.name)
        for workload in workloads(manifests("dev"))
        for rule in POD_RULES
        if any(rule(workload))
    }
    assert needed == set(EXCEPTIONS)


def test_no_two_objects_are_one() -> None:
    """Two manifests that own the same object undo each other's changes at every deploy."""
    seen = [_identity(manifest) for manifest in manifests("dev")]
    assert sorted(seen) == sorted(set(seen))


def test_nothing_wants_a_node_while_paused() -> None:
    wanting = [
        manifest["metadata"]["name"]
        for manifest in manifests("dev", "paused=true")
        if (manifest["kind"] in {"Deployment", "StatefulSet"} and manifest["spec"]["replicas"])
        or (manifest["kind"] in {"Job", "CronJob"} and not manifest["spec"].get("suspend"))
    ]
    assert wanting == []


def test_pausing_takes_nothing_away() -> None:
    """What disappeared would have to be made anew, and volumes and quotas with it."""
    running = {_identity(manifest) for manifest in manifests("dev")}
    assert {_identity(manifest) for manifest in manifests("dev", "paused=true")} == running


def test_a_pause_that_ends_for_good_has_the_cluster_work_and_is_still_one() -> None:
    """Who then doesn't destroy the stage has it paused again by the next deploy."""
    ending = templates("dev", "paused=ending")["cluster"]
    assert ending["Resources"].keys() == templates("dev")["cluster"]["Resources"].keys()
    changed = {
        name
        for name, one in templates("dev")["cluster"]["Resources"].items()
        if one != ending["Resources"][name]
    }
    (paused,) = changed
    told = ending["Resources"][paused]["Properties"]
    assert (told["Name"], told["Value"]) == ("/llmo/dev/paused", "true")


def _identity(manifest: dict[str, Any]) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]
