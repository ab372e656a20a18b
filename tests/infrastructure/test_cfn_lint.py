"""cfn-lint, over every template of every stage: no errors, and no warning that nobody looked at."""

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.synth import STAGES, assembly

LOOKED_AT: Final[Mapping[str, str]] = {
    "W1020": "Fn::Sub without a variable: tables.template.json, after the stage's name was put in",
    "W3005": "a dependency that is there twice: CDK writes out what a reference implies",
    "W3010": "zones are named: a lookup would need credentials, and GPUs are not in every zone",
}
"""Warnings that stay, by rule, and why."""


@cache
def findings(stage: str) -> tuple[Mapping[str, Any], ...]:
    templates = sorted(map(str, assembly(stage).glob("*.template.json")))
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("cfn-lint")),
            *("--format", "json"),
            *("--regions", "us-west-2"),
            "--",
            *templates,
        ],
        cwd=assembly(stage),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert not done.stderr
    return tuple(json.loads(done.stdout))


def told(stage: str, level: str) -> list[str]:
    return [
        f"{Path(found['Filename']).name} {'/'.join(map(str, found['Location']['Path']))}: "
        f"{found['Rule']['Id']} {found['Message']}"
        for found in findings(stage)
        if found["Level"] == level and found["Rule"]["Id"] not in LOOKED_AT
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_templates_have_no_errors(stage: str) -> None:
    assert told(stage, "Error") == []


@pytest.mark.parametrize("stage", STAGES)
def test_templates_have_no_warnings_that_nobody_looked_at(stage: str) -> None:
    assert told(stage, "Warning") == []


def test_no_warning_is_passed_over_that_is_gone() -> None:
    met = {found["Rule"]["Id"] for stage in STAGES for found in findings(stage)}
    assert LOOKED_AT.keys() - met == set()
