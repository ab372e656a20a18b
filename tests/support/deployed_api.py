"""The synthesised API, as its tests ask for it."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tests.support.synth import resources, templates

FUNCTIONS: Final = {
    "APIHandler": "gateway",
    "KeysAuthorizer": "authorizer",
    "KeyExpiry": "key-expiry",
}
"""Chalice's names of its resources, and ours."""


class Method(NamedTuple):
    path: str
    verb: str
    described: dict[str, Any]


def api(stage: str) -> dict[str, Any]:
    (found,) = resources(templates(stage)["api"], "AWS::Serverless::Api").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def methods(stage: str) -> Iterator[Method]:
    for path, described in api(stage)["DefinitionBody"]["paths"].items():
        for verb, method in described.items():
            yield Method(path, verb.upper(), method)


def functions(stage: str) -> dict[str, dict[str, Any]]:
    """Properties by part."""
    found = resources(templates(stage)["api"], "AWS::Serverless::Function")
    return {FUNCTIONS[name]: function["Properties"] for name, function in found.items()}


def rights(stage: str, part: str) -> list[dict[str, Any]]:
    """Every statement of the function's role."""
    template = templates(stage)["api"]
    logical_id, attribute = functions(stage)[part]["Role"]["Fn::GetAtt"]
    assert attribute == "Arn"
    for policy in resources(template, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy").values():
        assert logical_id not in json.dumps(policy)  # all that it may do is said in the role
    role = template["Resources"][logical_id]["Properties"]
    assert "ManagedPolicyArns" not in role
    return [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def listed(value: Any) -> list[Any]:  # noqa: ANN401  (one or many, as IAM takes it)
    return value if isinstance(value, list) else [value]
