"""What runs without a caller: when, and that nobody else may start it."""

import json
from typing import Final

import pytest

from chalicelib import key_expiry
from tests.support.deployed_api import functions, rights
from tests.support.synth import STAGES, resources, templates

SCHEDULED: Final = {"key-expiry": key_expiry.SCHEDULE}


@pytest.mark.parametrize("stage", STAGES)
def test_functions_without_a_caller_are_started_by_a_rule_of_their_own(stage: str) -> None:
    """SAM makes of each a rule, and a permission that names it."""
    started = {
        part: [
            (event["Type"], event["Properties"])
            for event in function.get("Events", {}).values()
            if event["Type"] != "Api"
        ]
        for part, function in functions(stage).items()
    }
    assert {part: found for part, found in started.items() if found} == {
        part: [("Schedule", {"Schedule": expression})] for part, expression in SCHEDULED.items()
    }


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("part", SCHEDULED)
def test_nobody_else_may_start_them(stage: str, part: str) -> None:
    template = templates(stage)["api"]
    assert "Policies" not in functions(stage)[part]
    assert "FunctionUrlConfig" not in functions(stage)[part]
    for permission in resources(template, "AWS::Lambda::Permission").values():
        assert "KeyExpiry" not in json.dumps(permission)


@pytest.mark.parametrize("stage", STAGES)
def test_the_look_at_keys_reads_the_keys_table_and_nothing_else(stage: str) -> None:
    (read,) = (one for one in rights(stage, "key-expiry") if one["Action"] == "dynamodb:Scan")
    (keys,) = (
        output["Export"]["Name"]
        for output in templates(stage)["data"]["Outputs"].values()
        if "Export" in output and output["Value"] == {"Ref": "KeysTable"}
    )
    *_, table, name = read["Resource"]["Fn::Join"][1]
    assert (table, name) == (":table/", {"Fn::ImportValue": keys})
