"""No deploy replaces what holds data; and whatever would, is noticed."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.infrastructure.stateful import (
    ADVICE,
    STATEFUL,
    VOLUMES,
    Stateful,
    differences,
    inventory,
    read_baseline,
)
from tests.support.synth import STAGES, Template, manifests, resources, templates

Stacks = dict[str, Template]


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_that_holds_data_would_be_replaced(stage: str) -> None:
    now = inventory(templates(stage), manifests(stage))
    found = list(differences(read_baseline()[stage], now))
    assert not found, "\n".join([f"{stage}:", *found, ADVICE])


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::EKS::Cluster"])
def test_the_baseline_has_what_matters_most(kind: str) -> None:
    for stage in STAGES:
        assert kind in {one.kind for one in read_baseline()[stage].values()}


@pytest.mark.parametrize("context", [("prod", "paused=true")], ids="-".join)
def test_pausing_replaces_nothing(context: tuple[str, str]) -> None:
    paused = inventory(templates(*context), manifests(*context))
    assert list(differences(read_baseline()[context[0]], paused)) == []


@cache
def now() -> dict[str, Stateful]:
    return inventory(templates("dev"), manifests("dev"))


def of_aws() -> Iterator[tuple[str, str]]:
    """Stack and logical id of all in the templates."""
    for key in now():
        stack, _, name = key.partition("/")
        if stack != "kubernetes":
            yield stack, name


@cache
def objects() -> list[dict[str, Any]]:
    return [one for one in manifests("dev") if one["kind"] in VOLUMES]


@cache
def stacks() -> Stacks:
    """Of each stack what holds something."""
    return {
        part: {"Resources": resources(template, *STATEFUL)}
        for part, template in templates("dev").items()
    }


def after(change: Callable[[Stacks], object]) -> list[str]:
    changed = deepcopy(stacks())
    change(changed)
    return list(differences(now(), inventory(changed, objects())))


def test_a_resource_that_vanishes_is_noticed() -> None:
    for stack, name in of_aws():
        (line,) = after(lambda all_, s=stack, n=name: all_[s]["Resources"].pop(n))  # type: ignore[misc]
        assert line.startswith(f"{stack}/{name} ")
        assert line.endswith("is gone: it would be deleted")


def test_a_new_logical_id_is_noticed() -> None:
    for stack, name in of_aws():

        def rename(all_: Stacks, stack: str = stack, name: str = name) -> None:
            all_[stack]["Resources"]["Renamed"] = all_[stack]["Resources"].pop(name)

        line, recorded = after(rename)
        assert line.startswith(f"{stack}/{name} ")
        assert line.endswith("gets the logical id Renamed: it would be made anew")
        assert recorded.startswith(f"{stack}/Renamed ")


def test_a_move_to_another_stack_is_noticed() -> None:
    for stack, name in of_aws():

        def move(all_: Stacks, stack: str = stack, name: str = name) -> None:
            all_["elsewhere"] = {"Resources": {name: all_[stack]["Resources"].pop(name)}}

        line, _ = after(move)
        assert line.startswith(f"{stack}/{name} ")
        assert line.endswith("moves to the stack elsewhere: it would be made anew")


def test_a_change_of_each_property_that_replaces_is_noticed() -> None:
    changed = 0
    for stack, name in of_aws():
        for path in now()[f"{stack}/{name}"].fixed:
            if any(other.startswith(f"{path}/") for other in now()[f"{stack}/{name}"].fixed):
                continue  # what is within it is noticed by its own name
            lines = after(lambda all_, s=stack, n=name, p=path: _set(all_, s, n, p, "another"))  # type: ignore[misc]
            changed += 1
            assert any(
                line.startswith(f"{stack}/{name} ")
                and f": {path} changes from " in line
                and line.endswith('to "another": it would be replaced')
                for line in lines
            ), lines
    assert changed > len(now()) / 2


def _set(all_: Stacks, stack: str, name: str, path: str, value: object) -> None:
    place: dict[str, Any] = all_[stack]["Resources"][name]["Properties"]
    *parents, last = path.split("/")
    for parent in parents:
        place = place[parent]
    place[last] = value


def test_a_name_given_later_is_noticed() -> None:
    """What CloudFormation named itself would be replaced by what we name."""
    buckets = [(s, n) for s, n in of_aws() if now()[f"{s}/{n}"].kind == "AWS::S3::Bucket"]
    stack, name = buckets[0]
    (line,) = after(lambda all_: _set(all_, stack, name, "BucketName", "mine"))
    assert line.startswith(f"{stack}/{name} (AWS::S3::Bucket): BucketName changes from null to ")


def test_a_table_with_another_key_is_noticed() -> None:
    """CloudFormation's schema names it apart from the other properties."""
    (line,) = after(lambda all_: _set(all_, "data", "KeysTable", "KeySchema", []))
    assert line.startswith("data/KeysTable (AWS::DynamoDB::Table): KeySchema changes from ")


def test_what_only_a_failed_creation_takes_away_is_kept() -> None:
    of_data = resources(templates("prod")["data"], "AWS::SecretsManager::Secret").values()
    assert {one["DeletionPolicy"] for one in of_data} == {"RetainExceptOnCreate"}
    assert all(inventory({"data": {"Resources": {"S": one}}})["data/S"].kept for one in of_data)


def test_what_no_longer_outlives_its_stack_is_noticed() -> None:
    before = inventory(templates("prod"))
    less = {**before, "data/KeysTable": replace(before["data/KeysTable"], kept=False)}
    assert list(differences(before, less)) == [
        "data/KeysTable (AWS::DynamoDB::Table) would no longer outlive its stack"
    ]
    assert list(differences(less, before)) == []


def test_a_volume_in_the_cluster_is_watched() -> None:
    one = {
        "kind": "StatefulSet",
        "metadata": {"namespace": "observability", "name": "loki"},
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}], "replicas": 1},
    }
    other = {**one, "spec": {"volumeClaimTemplates": [{"metadata": {"name": "chunks"}}]}}
    assert list(differences(inventory({}, [one]), inventory({}, []))) == [
        "kubernetes/observability/loki (StatefulSet) is gone: it would be deleted"
    ]
    (line,) = differences(inventory({}, [one]), inventory({}, [other]))
    assert line.startswith("kubernetes/observability/loki (StatefulSet): volumeClaimTemplates ")


def test_what_holds_nothing_may_change() -> None:
    held = {name for template in stacks().values() for name in template["Resources"]}
    renamed = {
        part: {
            "Resources": {
                name if name in held else f"{name}2": resource
                for name, resource in template["Resources"].items()
            }
        }
        for part, template in templates("dev").items()
    }
    assert renamed != templates("dev")
    assert list(differences(now(), inventory(renamed, objects()))) == []


def test_what_is_new_must_be_recorded() -> None:
    def add(all_: Stacks) -> None:
        all_["data"]["Resources"]["Fourth"] = {"Type": "AWS::DynamoDB::Table", "Properties": {}}

    assert after(add) == [
        "data/Fourth (AWS::DynamoDB::Table) is not recorded yet: nothing would notice its loss"
    ]
