"""What a security engineer asks: which findings are left, why, and who may do what to what."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Final

import pytest

from tests.support.synth import STAGES, assembly, templates

IDENTITY_POLICIES: Final = {
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Serverless::Function",
}
"""Of these a statement says what may be done to what; policies of resources say who may."""

NO_RESOURCE_LEVEL: Final = {
    "cloudwatch:PutMetricData": "metrics are no resources",
    "ec2:DescribeDhcpOptions": "EC2 describes all or none",
    "ec2:DescribeNetworkInterfaces": "EC2 describes all or none",
    "ec2:DescribeSecurityGroups": "EC2 describes all or none",
    "ec2:DescribeSubnets": "EC2 describes all or none",
    "ec2:DescribeVpcs": "EC2 describes all or none",
    "ecr:GetAuthorizationToken": "a token is for the registry, which is the account's only one",
    "logs:CreateLogDelivery": "deliveries have no ARN",
    "logs:DeleteLogDelivery": "deliveries have no ARN",
    "logs:DescribeLogGroups": "Step Functions asks for all, before it has been told of one",
    "logs:DescribeResourcePolicies": "resource policies of logs are the account's",
    "logs:GetLogDelivery": "deliveries have no ARN",
    "logs:ListLogDeliveries": "deliveries have no ARN",
    "logs:PutResourcePolicy": "resource policies of logs are the account's",
    "logs:UpdateLogDelivery": "deliveries have no ARN",
}
"""Actions for which IAM's service authorization reference lists no resource type, and why."""


@cache
def report(stage: str) -> Any:  # noqa: ANN401  (CDK's report)
    return json.loads((assembly(stage) / "validation-report.json").read_text("utf-8"))


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_that_was_found_is_left_open(stage: str) -> None:
    plugins = {plugin["pluginName"]: plugin for plugin in report(stage)["pluginReports"]}
    assert "AwsSolutions" in plugins
    assert {
        (name, finding["ruleName"], construct["constructPath"])
        for name, plugin in plugins.items()
        for finding in plugin["violations"]
        for construct in finding["violatingConstructs"]
    } == set()


@dataclass(frozen=True)
class Acknowledgement:
    rule: str
    at: str
    reason: str


def used() -> set[Acknowledgement]:
    """Those that a finding met."""
    return {
        Acknowledgement(
            found["acknowledgedId"], _stageless(found["acknowledgedAt"]), found["reason"]
        )
        for stage in STAGES
        for plugin in report(stage)["pluginReports"]
        for found in plugin.get("suppressedViolations", [])
    }


def made() -> set[Acknowledgement]:
    """Those of the code, whether or not there is something to acknowledge; CDK makes own ones."""
    return {
        Acknowledgement(rule, _stageless(path), reason)
        for stage in STAGES
        for file in assembly(stage).glob("*.metadata.json")
        for path, entries in json.loads(file.read_text("utf-8")).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
        if rule.startswith("AwsSolutions::")
    }


def _stageless(path: str) -> str:
    return re.sub(r"^/?llmo-[a-z0-9]+-", "", path)


def test_each_acknowledgement_says_why() -> None:
    """A sentence about this resource; not that it is a demo, and not the rule's own words."""
    assert made()
    assert {
        one
        for one in made()
        if len(one.reason.split()) < 8
        or re.search(r"\b(todo|demo|fixme|n/a)\b", one.reason.lower())
    } == set()


def test_each_acknowledgement_stands_at_its_resource() -> None:
    """One for a whole stack would hide what comes later."""
    assert {one for one in made() if "/" not in one.at} == set()


def test_wildcards_are_acknowledged_one_by_one() -> None:
    assert {one for one in made() if re.search(r"IAM[45](?!\[)", one.rule)} == set()


def test_nothing_is_acknowledged_that_is_not_found() -> None:
    """What was needed once must not cover what comes later."""
    assert {(one.rule, one.at) for one in made()} - {(one.rule, one.at) for one in used()} == set()


@dataclass(frozen=True)
class Statement:
    where: str
    kind: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    inverted: bool


def statements(stage: str) -> Iterator[Statement]:
    for part, template in templates(stage).items():
        for name, resource in template["Resources"].items():
            for document in _documents(resource.get("Properties", {})):
                for one in _listed(document["Statement"]):
                    yield Statement(
                        where=f"{stage}-{part}: {name}",
                        kind=resource["Type"],
                        effect=one.get("Effect", "Allow"),
                        actions=_words(one.get("Action", [])),
                        resources=_words(one.get("Resource", [])),
                        inverted=bool({"NotAction", "NotResource", "NotPrincipal"} & one.keys()),
                    )


def _documents(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (CloudFormation)
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
        yield from chain.from_iterable(map(_documents, value.values()))
    if isinstance(value, list):
        yield from chain.from_iterable(map(_documents, value))


def _listed(value: Any) -> list[Any]:  # noqa: ANN401  (one or many, as IAM takes it)
    return value if isinstance(value, list) else [value]


def _words(value: Any) -> tuple[str, ...]:  # noqa: ANN401  (CloudFormation)
    return tuple(one if isinstance(one, str) else json.dumps(one) for one in _listed(value))


def allowed(stage: str) -> list[Statement]:
    return [one for one in statements(stage) if one.effect == "Allow"]


@pytest.mark.parametrize("stage", STAGES)
def test_nobody_may_do_everything(stage: str) -> None:
    """Neither `*`, nor all of a service, nor all but something."""
    assert len(allowed(stage)) > 20
    assert [
        one
        for one in allowed(stage)
        if one.inverted
        or "*" in one.actions
        or (one.kind in IDENTITY_POLICIES and any(re.fullmatch(r"\w+:\*", a) for a in one.actions))
    ] == []


def for_anything(stage: str) -> set[tuple[str, str]]:
    """Who may do what to every resource there is."""
    return {
        (one.where, action)
        for one in allowed(stage)
        if one.kind in IDENTITY_POLICIES and "*" in one.resources
        for action in one.actions
    }


@pytest.mark.parametrize("stage", STAGES)
def test_what_may_be_done_to_anything_has_no_resource_level(stage: str) -> None:
    told = for_anything(stage)
    assert {(who, action) for who, action in told if action not in NO_RESOURCE_LEVEL} == set()


def test_no_exception_is_left_that_nobody_needs() -> None:
    needed = {action for stage in STAGES for _, action in for_anything(stage)}
    assert NO_RESOURCE_LEVEL.keys() - needed == set()
