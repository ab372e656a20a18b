"""People get what the stage names them for; whoever deploys is told what it leaves out."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk.assertions import Template

from cdk.constructs.cluster.people import grant_people
from cdk.stages import Stage, load_stage
from tests.support import checkout
from tests.support.synth import assembly, resources, run_app

ROLE: Final = "arn:aws:iam::123456789012:role/"
PEOPLE: Final = f"""[stages.dev]
viewers = ["{ROLE}audit", "{ROLE}people/quant"]
teams.quant = ["{ROLE}people/quant"]
teams.eval = ["{ROLE}judges"]
alarms.email = "lab@example.org"
"""
Granted = AbstractSet[tuple[str, str, tuple[str, ...]]]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = checkout.copy(tmp_path_factory.mktemp("people"))
    checkout.replace(root, "cdk/stages.toml", "[stages.dev]\n", PEOPLE)
    done = run_app(root / "out", "stage=dev", root=root)
    assert done.returncode == 0, done.stderr
    return root / "out"


def granted(out: Path) -> Mapping[str, Granted]:
    """Policy, scope and namespaces by role; of people, whose roles are told by ARN."""
    entries = resources(checkout.templates(out, "dev")["cluster"], "AWS::EKS::AccessEntry")
    of_people = [
        one["Properties"]
        for one in entries.values()
        if isinstance(one["Properties"]["PrincipalArn"], str)
    ]
    assert len({one["PrincipalArn"] for one in of_people}) == len(of_people)
    return {
        one["PrincipalArn"].removeprefix(ROLE): {
            (
                json.dumps(policy["PolicyArn"]).rsplit("/", 1)[-1].rstrip('"]}'),
                policy["AccessScope"]["Type"],
                tuple(policy["AccessScope"].get("Namespaces", ())),
            )
            for policy in one["AccessPolicies"]
        }
        for one in of_people
    }


def warnings(out: Path, stage: str) -> str:
    """All that CDK's command line shows, of every stack."""
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    texts = [
        (out / file).read_text("utf-8")
        for artifact in manifest["artifacts"].values()
        if (file := artifact.get("additionalMetadataFile"))
    ]
    assert any(stage in text for text in texts)
    told = [
        entry["data"]
        for text in texts
        for entries in json.loads(text).values()
        for entry in entries
        if entry["type"] == "aws:cdk:warning"
    ]
    return "\n".join(told)


def test_viewers_look_at_all_and_teams_change_their_own(out: Path) -> None:
    view = ("AmazonEKSViewPolicy", "cluster", ())
    assert granted(out) == {
        "audit": {view},
        "people/quant": {view, ("AmazonEKSEditPolicy", "namespace", ("quant",))},
        "judges": {("AmazonEKSEditPolicy", "namespace", ("eval",))},
    }


def test_who_gets_other_rights_keeps_the_entry() -> None:
    """EKS refuses a second one for the same role, and CloudFormation makes before it takes away."""
    dev = load_stage("dev")
    mine = f"{ROLE}mine"
    stages = [
        replace(dev, administrators=(mine,)),
        replace(dev, viewers=(mine,)),
        replace(dev, teams={"quant": (mine,)}),
    ]
    assert len({_entry_of(stage, mine) for stage in stages}) == 1
    assert _entry_of(replace(dev, viewers=(f"{ROLE}path/mine",)), f"{ROLE}path/mine") != _entry_of(
        stages[0], mine
    )


def _entry_of(stage: Stage, role: str) -> str:
    """The logical id of a role's entry."""
    stack = Stack(App(), "stack")
    cluster = eks.Cluster(stack, "cluster", version=eks.KubernetesVersion.of("1.35"))
    grant_people(stack, cluster, stage)
    template = dict(Template.from_stack(stack).to_json())
    (found,) = (
        name
        for name, one in resources(template, "AWS::EKS::AccessEntry").items()
        if one["Properties"]["PrincipalArn"] == role
    )
    return found


def test_a_stage_without_administrators_or_alarms_says_so(out: Path) -> None:
    shipped = warnings(assembly("dev"), "dev")
    assert "stages.dev.administrators is empty: nobody will be able to use kubectl" in shipped
    assert "stages.dev.alarms is missing: no alarm will be mailed to anybody" in shipped
    assert "stages.dev.github.repository is nobody's: no workflow will be able" in shipped
    told = warnings(out, "dev")
    assert "nobody will be able to use kubectl but to look, or for a team" in told
    assert "alarms is missing" not in told


def test_data_that_is_kept_wants_an_account() -> None:
    told = "stages.{}.account is missing: its data is kept in whichever account"
    assert told.format("prod") in warnings(assembly("prod"), "prod")
    assert told.format("dev") not in warnings(assembly("dev"), "dev")
