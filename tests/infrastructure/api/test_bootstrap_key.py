"""The first key of a deployed stage: names said here are those that were deployed."""

import json
import subprocess
import sys

import pytest

from cdk.bootstrap_key import environment
from cdk.stages import load_stage
from chalicelib.settings import Settings
from tests.support.deployed_api import functions
from tests.support.synth import ROOT, STAGES, resources, templates


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cdk.bootstrap_key", *arguments],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_it_writes_where_the_functions_read(stage: str) -> None:
    data = templates(stage)["data"]
    told = environment(load_stage(stage))
    tables = json.dumps(resources(data, "AWS::DynamoDB::Table"))
    secrets = resources(data, "AWS::SecretsManager::Secret").values()
    assert told["PEPPER_SECRET"] in {secret["Properties"].get("Name") for secret in secrets}
    assert all(f'"{told[name]}"' in tables for name in ("KEYS_TABLE", "AUDIT_TABLE"))
    settings = Settings.from_env(told)
    assert settings.stage == stage
    assert settings.pepper_secret == f"llmo/{stage}/key-pepper"
    variables = functions(stage)["gateway"]["Environment"]["Variables"]
    assert told.keys() - {"AWS_REGION"} <= variables.keys()


def test_without_credentials_it_says_so() -> None:
    done = run("dev", "--name", "first")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "bootstrap_key: secret llmo/dev/key-pepper: no AWS credentials: "
        "AWS_ACCESS_KEY_ID is not set\n"
    )


@pytest.mark.parametrize("arguments", [(), ("nope", "--name", "x")])
def test_an_unknown_stage_is_told_in_one_line(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    (line,) = done.stderr.splitlines()
    assert line.endswith("there are: dev, staging, prod")
