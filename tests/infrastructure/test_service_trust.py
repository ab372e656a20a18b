"""What trusts a service of AWS does so for this account, not for whoever asks that service."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.synth import STAGES, templates

OURS: Final = ("aws:SourceAccount", "aws:SourceArn")
PASSED: Final = "its guide has no such keys; who gives it a role needs iam:PassRole here"
WITHOUT: Final = {
    "apigateway.amazonaws.com": f"the account's role for logs, set once for all APIs: {PASSED}",
    "ec2.amazonaws.com": f"an instance of ours asks for its own role: {PASSED}",
    "lambda.amazonaws.com": f"a function of ours asks for its own role: {PASSED}",
}
"""Services that may take a role without such a condition, and why."""


def trusts(value: Any, path: str) -> Iterator[tuple[str, str, dict[str, Any]]]:  # noqa: ANN401  (CloudFormation)
    """Service, where, statement: of roles' trust and of resources' policies."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from trusts(item, f"{path}/{number}")
    if not isinstance(value, dict):
        return
    principal = value.get("Principal")
    if value.get("Effect") == "Allow" and isinstance(principal, dict) and "Service" in principal:
        services = principal["Service"]
        for service in services if isinstance(services, list) else [services]:
            yield service, path, value
    for key, item in value.items():
        yield from trusts(item, f"{path}/{key}")


def keys(statement: dict[str, Any]) -> set[str]:
    return {key for test in statement.get("Condition", {}).values() for key in test}


def found(stage: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [one for part, template in templates(stage).items() for one in trusts(template, part)]


@pytest.mark.parametrize("stage", STAGES)
def test_a_service_is_trusted_for_this_account_only(stage: str) -> None:
    open_to_all = [
        f"{service}: {path}"
        for service, path, statement in found(stage)
        if not keys(statement).intersection(OURS)
        and not (service in WITHOUT and "sts:AssumeRole" in statement["Action"])
    ]
    assert open_to_all == []


@pytest.mark.parametrize("stage", STAGES)
def test_who_may_invoke_a_function_is_named(stage: str) -> None:
    permissions = [
        resource["Properties"]
        for template in templates(stage).values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
    ]
    assert permissions
    assert all({"SourceArn", "SourceAccount"} & one.keys() for one in permissions)


def test_every_exception_is_needed() -> None:
    bare = {
        service
        for stage in STAGES
        for service, _, statement in found(stage)
        if not keys(statement).intersection(OURS)
    }
    assert bare == set(WITHOUT)


def test_a_statement_without_a_condition_is_found_wherever_it_is() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["a.amazonaws.com", "b.amazonaws.com"]},
    }
    template = {
        "Resources": {"Queue": {"Properties": {"PolicyDocument": {"Statement": [statement]}}}}
    }
    assert [one[0] for one in trusts(template, "x")] == ["a.amazonaws.com", "b.amazonaws.com"]
    assert keys(statement) == set()
    assert keys({"Condition": {"ArnLike": {"aws:SourceArn": "x"}}}) == {"aws:SourceArn"}
