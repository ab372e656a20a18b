"""A deployed stage may get a domain, or lose it: nothing that a stack imports goes or changes.

CloudFormation deploys the stack that exports first, and refuses to take away or to replace what
another still imports as it was.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.infrastructure.stateful import differences, fixed, inventory
from tests.support.domain import STAGE, with_domain
from tests.support.synth import Template, resources, templates

Stacks = Mapping[str, Template]


def without_domain() -> Stacks:
    return templates(STAGE)


directions = pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(without_domain, with_domain, id="gets a domain"),
        pytest.param(with_domain, without_domain, id="loses its domain"),
    ],
)


def imported(value: Any) -> Iterator[str]:  # noqa: ANN401  (CloudFormation)
    if isinstance(value, dict):
        if isinstance(value.get("Fn::ImportValue"), str):
            yield value["Fn::ImportValue"]
        for one in value.values():
            yield from imported(one)
    elif isinstance(value, list):
        for one in value:
            yield from imported(one)


def exported(stacks: Stacks) -> dict[str, tuple[Any, dict[str, Any]]]:
    """What each export is, and what would replace the resource that it is of."""
    return {
        output["Export"]["Name"]: (output["Value"], of_resource(template, output["Value"]))
        for template in stacks.values()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }


def of_resource(template: Template, value: Any) -> dict[str, Any]:  # noqa: ANN401  (CloudFormation)
    name = value.get("Ref") or value["Fn::GetAtt"][0]
    resource = template["Resources"].get(name)
    return fixed(resource) if resource else {}


def refused(before: Stacks, after: Stacks) -> list[str]:
    was, now = exported(before), exported(after)
    in_use = {name for template in before.values() for name in imported(template)}
    return sorted(name for name in in_use if was[name] != now.get(name))


@directions
def test_no_export_in_use_goes_or_changes(
    before: Callable[[], Stacks], after: Callable[[], Stacks]
) -> None:
    assert refused(before(), after()) == []


def test_an_export_that_goes_or_is_of_something_else_is_found() -> None:
    before = without_domain()
    network = deepcopy(before["network"])
    ((zone, resource),) = resources(network, "AWS::Route53::HostedZone").items()
    (export,) = (
        one["Export"]["Name"]
        for one in network["Outputs"].values()
        if one["Value"] == {"Ref": zone}
    )
    resource["Properties"]["Name"] = "another.example.org."
    assert refused(before, {**before, "network": network}) == [export]
    network["Outputs"].clear()
    assert export in refused(before, {**before, "network": network})


def test_nothing_that_holds_data_is_replaced() -> None:
    """All that is new is the zone under the domain."""
    found = list(differences(inventory(without_domain()), inventory(with_domain())))
    assert len(found) == 1
    assert found[0].startswith("fleet/EnginesZone")
    assert "is not recorded yet" in found[0]


def test_with_a_domain_all_names_are_in_its_zone() -> None:
    fleet = with_domain()["fleet"]
    ((zone, resource),) = resources(fleet, "AWS::Route53::HostedZone").items()
    assert resource["Properties"]["Name"] == "engines.llm.example.org."
    assert len(resource["Properties"]["VPCs"]) == 1
    records = [one["Properties"] for one in resources(fleet, "AWS::Route53::RecordSet").values()]
    assert {str(one["HostedZoneId"]) for one in records} == {str({"Ref": zone})}
    assert "otel.engines.llm.example.org." in {one["Name"] for one in records}


def test_the_collector_is_asked_by_its_name_under_the_domain() -> None:
    rules = resources(with_domain()["observability"], "AWS::ElasticLoadBalancingV2::ListenerRule")
    (rule,) = rules.values()
    assert "otel.engines.llm.example.org" in str(rule["Properties"]["Conditions"])
