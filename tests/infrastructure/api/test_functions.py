"""What runs: its shape, its settings, and that each function may do what its code does."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from cdk.deployment import Deployment
from chalicelib.settings import Settings
from tests.support.deployed_api import FUNCTIONS, functions, listed, rights
from tests.support.synth import STAGES, assembly, resources, templates

EVERY: Final = [(stage, part) for stage in STAGES for part in FUNCTIONS.values()]
every_function = pytest.mark.parametrize(("stage", "part"), EVERY)
NETWORK: Final = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
OWN: Final = {
    "authorizer": {"dynamodb:GetItem", "secretsmanager:GetSecretValue"},
    "gateway": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "secretsmanager:GetSecretValue",
    },
    "key-expiry": {"dynamodb:Scan"},
}
LOGGING: Final = {"logs:CreateLogStream", "logs:PutLogEvents"}


@every_function
def test_it_runs_on_arm_with_the_python_that_compiled_it(stage: str, part: str) -> None:
    function = functions(stage)[part]
    assert function["FunctionName"] == f"llmo-{stage}-{part}"
    assert (function["Architectures"], function["Runtime"]) == (["arm64"], "python3.13")
    assert function["Tracing"] == "PassThrough"  # spans go by OpenTelemetry, once
    longest = Deployment.read(stage).stage.integration_timeout_s
    shapes = {"gateway": (1024, longest), "authorizer": (512, 10), "key-expiry": (512, 60)}
    assert (function["MemorySize"], function["Timeout"]) == shapes[part]


@every_function
def test_it_is_in_private_subnets_with_the_group_that_reaches_engines(
    stage: str, part: str
) -> None:
    place = functions(stage)[part]["VpcConfig"]
    assert len(place["SubnetIds"]) == 3
    network = templates(stage)["network"]
    imported = [one["Fn::ImportValue"] for one in (*place["SubnetIds"], *place["SecurityGroupIds"])]
    exported = {
        output["Export"]["Name"]: output["Value"]
        for output in network["Outputs"].values()
        if "Export" in output
    }
    *subnets, group = (network["Resources"][_logical_id(exported[name])] for name in imported)
    assert {subnet["Type"] for subnet in subnets} == {"AWS::EC2::Subnet"}
    assert not any(subnet["Properties"].get("MapPublicIpOnLaunch") for subnet in subnets)
    assert group["Type"] == "AWS::EC2::SecurityGroup"


def _logical_id(value: dict[str, Any]) -> str:
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


@every_function
def test_its_environment_holds_no_secret(stage: str, part: str) -> None:
    """Where one is named, the name is made elsewhere; nothing else could be one."""
    variables = functions(stage)[part]["Environment"]["Variables"]
    named = {name: value for name, value in variables.items() if name.endswith("_SECRET")}
    assert set(named) == ({"PEPPER_SECRET"} if part != "key-expiry" else set())
    assert all("Fn::ImportValue" in value for value in named.values())
    assert "{{resolve:" not in json.dumps(variables)


@pytest.mark.parametrize("stage", STAGES)
def test_its_settings_are_those_of_the_stage(stage: str) -> None:
    """Read by the gateway's own reader."""
    variables = functions(stage)["gateway"]["Environment"]["Variables"]
    deployment = Deployment.read(stage)
    settings = Settings.from_env(
        {name: value if isinstance(value, str) else name for name, value in variables.items()}
    )
    assert settings == Settings(
        stage=stage,
        keys_table="KEYS_TABLE",
        routing_table="ROUTING_TABLE",
        audit_table="AUDIT_TABLE",
        pepper_secret="PEPPER_SECRET",
        engine_key_secrets={
            name: f"llmo/{stage}/engine-key/{name}" for name in deployment.fleet.engines
        },
        engine_urls={
            name: f"http://{name}.{stage}.llmo.internal" for name in deployment.fleet.engines
        },
        backends=frozenset({"vllm", "sagemaker"} if deployment.sagemaker else {"vllm"}),
        sagemaker_prefix=f"llmo-{stage}-",
        integration_timeout_s=deployment.stage.integration_timeout_s,
        otlp_endpoint=f"http://otel.{stage}.llmo.internal",
        service_name="gateway",
    )


@pytest.mark.parametrize("stage", STAGES)
def test_each_function_has_a_role_of_its_own(stage: str) -> None:
    roles = [json.dumps(function["Role"]) for function in functions(stage).values()]
    assert len(set(roles)) == len(roles) == len(FUNCTIONS)


@every_function
def test_it_may_do_what_its_code_calls_and_no_more(stage: str, part: str) -> None:
    models = {"sagemaker:InvokeEndpoint"} if Deployment.read(stage).sagemaker else set()
    assert {
        action
        for statement in rights(stage, part)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    } == OWN[part] | LOGGING | NETWORK | (models if part == "gateway" else set())


@every_function
def test_only_looking_at_the_network_is_not_limited_to_resources(stage: str, part: str) -> None:
    """EC2 has no resource level for it; and what is limited is limited to whole names."""
    allowed = [one for one in rights(stage, part) if one["Effect"] == "Allow"]
    anything = [one for one in allowed if "*" in listed(one["Resource"])]
    assert [one["Action"] for one in anything] == [
        ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    ]
    partly = {
        (action, "".join(part for part in resource["Fn::Join"][1][2:] if isinstance(part, str)))
        for one in allowed
        if one not in anything
        for action in listed(one["Action"])
        for resource in listed(one["Resource"])
        if "*" in json.dumps(resource)
    }
    assert {(action, text.lstrip(":")) for action, text in partly} == {
        ("ec2:AssignPrivateIpAddresses", "network-interface/*"),
        ("ec2:CreateNetworkInterface", "network-interface/*"),
        ("ec2:UnassignPrivateIpAddresses", "network-interface/*"),
        # Lambda is refused where it may delete only what is named so.
        ("ec2:DeleteNetworkInterface", "*/*"),
    }


@every_function
def test_its_code_may_not_do_what_lambda_does_for_it(stage: str, part: str) -> None:
    (denied,) = (one for one in rights(stage, part) if one["Effect"] == "Deny")
    assert set(denied["Action"]) == NETWORK
    assert denied["Resource"] == "*"
    condition = json.dumps(denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])
    assert f":function:llmo-{stage}-{part}" in condition


@pytest.mark.parametrize("stage", STAGES)
def test_engines_keys_are_read_by_the_names_that_the_fleet_gives_them(stage: str) -> None:
    read = {
        json.dumps(resource).partition(":secret:")[2].strip('"]} ')
        for one in rights(stage, "gateway")
        if one["Action"] == "secretsmanager:GetSecretValue"
        for resource in listed(one["Resource"])
    }
    made = {
        f"{one['Properties']['Name']}-??????"
        for one in resources(templates(stage)["fleet"], "AWS::SecretsManager::Secret").values()
    }
    assert made <= read
    assert len(read - made) == 1  # the pepper's, by reference


@pytest.mark.parametrize("stage", STAGES)
def test_models_are_called_by_the_names_of_the_stage(stage: str) -> None:
    """Its endpoints, and what is called on them: not another stage's in the same account."""
    called = {
        json.dumps(resource).split(":sagemaker:")[1].rpartition(":")[2].strip('"]} ')
        for one in rights(stage, "gateway")
        if one["Action"] == "sagemaker:InvokeEndpoint"
        for resource in listed(one["Resource"])
    }
    endpoints = Deployment.read(stage).endpoints if Deployment.read(stage).sagemaker else {}
    assert called == {
        *(f"endpoint/llmo-{stage}-{name}" for name in endpoints),
        *(
            f"inference-component/llmo-{stage}-{name}"
            for endpoint in endpoints.values()
            for name in endpoint.inference_components
        ),
    }


def test_a_paused_stage_may_call_no_endpoint() -> None:
    """Without endpoints nobody may call one."""
    template = templates("staging", "paused=true")["api"]
    assert "sagemaker:InvokeEndpoint" not in json.dumps(resources(template, "AWS::IAM::Role"))


def code(stage: str) -> Path:
    """The functions' folder in the assembly."""
    keys = {json.dumps(function["CodeUri"]["Key"]) for function in functions(stage).values()}
    (key,) = keys
    return assembly(stage) / f"asset.{json.loads(key).removesuffix('.zip')}"


@every_function
def test_its_code_loads_from_its_folder_alone_without_settings(stage: str, part: str) -> None:
    """Neither this checkout, nor what is installed here, nor an environment variable."""
    module, _, attribute = functions(stage)[part]["Handler"].partition(".")
    load = (
        f"import sys; sys.path[:0] = [{str(code(stage))!r}]; import {module}; "
        f"assert callable({module}.{attribute}); print({module}.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", load],
        cwd="/",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(code(stage) / "app.py")


def test_no_function_carries_what_it_does_not_need() -> None:
    """Chalice and botocore are tools; settings of this machine are nobody's."""
    shipped = {path.name for path in code("dev").iterdir()}
    assert {"app.py", "chalicelib", "chalice", "aws_lambda_powertools"} <= shipped
    assert not shipped & {"boto3", "botocore", "local_server.py", "bootstrap_key.py", ".chalice"}
    assert {path.name for path in (code("dev") / "chalice").glob("*.py")} == {
        "__init__.py",
        "app.py",
    }
    size = sum(path.stat().st_size for path in code("dev").rglob("*") if path.is_file())
    assert size < 15 * 1024 * 1024
