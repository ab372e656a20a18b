"""AWS roles of pods, whichever stack asks for them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.synth import STAGES, manifests, resources, templates


def associations(stage: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each with its role, which its own stack makes."""
    for template in templates(stage).values():
        for one in resources(template, "AWS::EKS::PodIdentityAssociation").values():
            properties = one["Properties"]
            role = template["Resources"][properties["RoleArn"]["Fn::GetAtt"][0]]
            yield properties, role["Properties"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_role_can_be_taken_only_where_it_was_given(stage: str) -> None:
    assert any(associations(stage))
    for association, role in associations(stage):
        statements = role["AssumeRolePolicyDocument"]["Statement"]
        actions = {action for one in statements for action in _listed(one["Action"])}
        assert actions == {"sts:AssumeRole", "sts:TagSession"}
        for statement in statements:
            assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
            wanted = statement["Condition"]["StringEquals"]
            assert wanted["aws:RequestTag/kubernetes-namespace"] == association["Namespace"]
            account = wanted["aws:RequestTag/kubernetes-service-account"]
            assert account == association["ServiceAccount"]
            assert "eks-cluster-name" in json.dumps(wanted)
            assert wanted["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_the_accounts_exist() -> None:
    made = {
        (one["metadata"]["namespace"], one["metadata"]["name"])
        for one in manifests("dev")
        if one["kind"] == "ServiceAccount"
    }
    for association, _ in associations("dev"):
        assert (association["Namespace"], association["ServiceAccount"]) in made


def test_nobody_has_two_roles() -> None:
    given = [(one["Namespace"], one["ServiceAccount"]) for one, _ in associations("dev")]
    assert len(given) == len(set(given))


def _listed(action: str | list[str]) -> list[str]:
    return [action] if isinstance(action, str) else action
