"""Runs by many functions: what is deployed is what the harness reckons with, and no more."""

import json
import tomllib
from typing import Any, Final

import pytest

from cdk.constructs.harness.promptsets import lay_out
from harness import lambda_handler
from harness.jobs.limits import LAMBDA
from harness.promptsets.store import load, shipped
from tests.support.synth import ROOT, STAGES, Template, resources, templates

JOBS: Final = ("plan_shards", "run_shard", "merge_run")
stages = pytest.mark.parametrize("stage", STAGES)


def of(stage: str) -> Template:
    return templates(stage)["harness"]


def functions(stage: str) -> dict[str, dict[str, Any]]:
    """By the handler's function."""
    found = resources(of(stage), "AWS::Lambda::Function").values()
    return {
        one["Properties"]["Handler"].rpartition(".")[2]: one["Properties"]
        for one in found
        if one["Properties"]["Handler"].startswith("harness.")
    }


def allowed(stage: str, role: str) -> dict[str, list[Any]]:
    """Resources by action, of the one policy of a role."""
    policies = [
        one["Properties"]
        for one in resources(of(stage), "AWS::IAM::Policy").values()
        if one["Properties"]["Roles"] == [{"Ref": role}]
    ]
    assert len(policies) == 1
    granted: dict[str, list[Any]] = {}
    for statement in policies[0]["PolicyDocument"]["Statement"]:
        actions, on = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            granted.setdefault(action, []).extend(on if isinstance(on, list) else [on])
    return granted


def role_of(function: dict[str, Any]) -> str:
    name: str = function["Role"]["Fn::GetAtt"][0]
    return name


def machine(stage: str) -> dict[str, Any]:
    (found,) = resources(of(stage), "AWS::StepFunctions::StateMachine").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


@stages
def test_each_function_of_the_handler_is_deployed_on_its_runtime(stage: str) -> None:
    assert functions(stage).keys() == set(JOBS)
    for name, function in functions(stage).items():
        assert callable(getattr(lambda_handler, name))
        assert function["Handler"] == f"harness.lambda_handler.{name}"
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert "VpcConfig" not in function
        assert function["FunctionName"] == f"llmo-{stage}-{name.replace('_', '-')}"


def test_memory_and_time_are_those_that_planning_and_sizing_reckon_with() -> None:
    sizing = tomllib.loads((ROOT / "harness/jobs/sizing.toml").read_text("utf-8"))
    definition = json.loads((ROOT / "harness/jobs/state_machine.json").read_text("utf-8"))
    shard = definition["States"]["Shards"]["ItemProcessor"]["States"]["Shard"]
    found = functions("dev")
    assert {one["MemorySize"] for one in found.values()} == {sizing["function"]["memory_mb"]}
    assert found["run_shard"]["Timeout"] == LAMBDA.seconds == shard["TimeoutSeconds"]


@stages
def test_the_environment_is_what_the_handler_reads(stage: str) -> None:
    for function in functions(stage).values():
        variables = function["Environment"]["Variables"]
        assert variables.keys() == {"RUNS_BUCKET", "TARGET_URLS", "API_KEY_SECRET"}
        lambda_handler.Settings.from_env({name: str(value) for name, value in variables.items()})


@stages
def test_each_function_has_a_role_of_its_own_that_knows_two_prefixes(stage: str) -> None:
    found = functions(stage)
    assert len({role_of(function) for function in found.values()}) == len(JOBS)
    for name, function in found.items():
        granted = allowed(stage, role_of(function))
        read = {"/runs/*", "/promptsets/*"} if name == "plan_shards" else {"/runs/*"}
        assert {one["Fn::Join"][1][-1] for one in granted["s3:GetObject"]} == read
        assert [one["Fn::Join"][1][-1] for one in granted["s3:PutObject"]] == ["/runs/*"]
        secret = {"secretsmanager:GetSecretValue"} if name == "run_shard" else set()
        assert set(granted) == secret | {
            "s3:GetObject",
            "s3:PutObject",
            "s3:ListBucket",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        }


@stages
def test_only_what_asks_reads_the_key_and_only_that_key(stage: str) -> None:
    function = functions(stage)["run_shard"]
    granted = allowed(stage, role_of(function))["secretsmanager:GetSecretValue"]
    assert granted == [function["Environment"]["Variables"]["API_KEY_SECRET"]]


@stages
def test_the_state_machine_is_the_file_as_it_is(stage: str) -> None:
    properties = machine(stage)
    text = (ROOT / "harness/jobs/state_machine.json").read_text("utf-8")
    assert properties["DefinitionString"] == text
    substituted = properties["DefinitionSubstitutions"]
    assert all(f"${{{name}}}" in text for name in substituted)
    assert len(substituted) == text.count("FunctionArn}") == len(JOBS)


@stages
def test_executions_are_logged_without_what_they_carry(stage: str) -> None:
    logging = machine(stage)["LoggingConfiguration"]
    assert logging["Level"] == "ALL"
    assert not logging.get("IncludeExecutionData")


@stages
def test_the_state_machine_may_run_its_map_and_nothing_else(stage: str) -> None:
    granted = allowed(stage, machine(stage)["RoleArn"]["Fn::GetAtt"][0])
    of_machine = f":stateMachine:llmo-{stage}-runs"
    (start,) = granted["states:StartExecution"]
    assert start["Fn::Join"][1][-1] == of_machine
    (stop,) = granted["states:StopExecution"]
    assert stop["Fn::Join"][1][-1] == f":execution:llmo-{stage}-runs:*"
    (read,) = granted["s3:GetObject"]
    assert read["Fn::Join"][1][-1] == "/runs/*/shards.json"
    invoked = {one["Fn::GetAtt"][0] for one in granted["lambda:InvokeFunction"]}
    assert len(invoked) == len(JOBS)
    assert machine(stage)["StateMachineName"] == f"llmo-{stage}-runs"
    on_all = {action for action, on in granted.items() if "*" in on}
    assert all(action.startswith("logs:") for action in on_all)


@stages
def test_only_the_machine_and_its_map_take_its_role(stage: str) -> None:
    role = of(stage)["Resources"][machine(stage)["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    sources = [one["Fn::Join"][1][-1] for one in trust["Condition"]["ArnLike"]["aws:SourceArn"]]
    whole = f":stateMachine:llmo-{stage}-runs"
    assert sources == [whole, f"{whole}/*"]
    assert trust["Condition"]["StringEquals"].keys() == {"aws:SourceAccount"}


@stages
def test_all_logs_end(stage: str) -> None:
    named = [one["Properties"] for one in resources(of(stage), "AWS::Logs::LogGroup").values()]
    days = tomllib.loads((ROOT / "cdk/stages.toml").read_text("utf-8"))["stages"][stage]
    assert len(named) == len(JOBS) + 2
    assert {one["RetentionInDays"] for one in named} == {days["log_retention_days"]}
    for function in resources(of(stage), "AWS::Lambda::Function").values():
        assert "LogGroup" in function["Properties"]["LoggingConfig"]


@stages
def test_whoever_starts_runs_finds_the_machine_and_the_bucket(stage: str) -> None:
    named = {
        one["Properties"]["Name"] for one in resources(of(stage), "AWS::SSM::Parameter").values()
    }
    assert named == {f"/llmo/{stage}/runs-state-machine", f"/llmo/{stage}/runs-bucket"}


@stages
def test_promptsets_are_copied_to_their_prefix_and_never_taken_away(stage: str) -> None:
    (copy,) = resources(of(stage), "Custom::CDKBucketDeployment").values()
    assert copy["Properties"]["DestinationBucketKeyPrefix"] == "promptsets"
    assert copy["Properties"]["Prune"] is False
    assert copy["Properties"].get("RetainOnDelete", True) is True
    (role,) = (
        role_of(one["Properties"])
        for one in resources(of(stage), "AWS::Lambda::Function").values()
        if not one["Properties"]["Handler"].startswith("harness.")
    )
    (write,) = allowed(stage, role)["s3:PutObject"]
    assert write["Fn::Join"][1][-1] == "/promptsets/*"


def test_every_shipped_promptset_is_where_a_run_looks_for_it(tmp_path: Any) -> None:  # noqa: ANN401
    lay_out(tmp_path)
    for name in shipped():
        version = load(name).manifest.version
        assert load(f"{tmp_path}/{name}/v{version}", version) == load(name)
