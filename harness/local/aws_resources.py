"""The stack's AWS resources, from the definitions that are deployed. The harness' only boto3.

    python -m harness.local.aws_resources < REQUEST

REQUEST is JSON: {"tables": template, "endpoints": file, "secrets": {name: value}}. The stand-in's
address and credentials are in the environment. Prints the tables' names as JSON.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointConfigInputTypeDef,
        CreateModelInputTypeDef,
    )

STACK: Final = "llmo-tables"
_ACCOUNT: Final = "123456789012"  # the AWS stand-in's
_ROLE: Final = f"arn:aws:iam::{_ACCOUNT}:role/llmo-local-sagemaker"
_IMAGE: Final = f"{_ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/vllm:local"


def create_tables(template: Path) -> dict[str, str]:
    """The stack's outputs."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=template.read_text("utf-8"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK)
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def create_secrets(secrets: Mapping[str, str]) -> None:
    secretsmanager = boto3.client("secretsmanager")
    for name, value in secrets.items():
        secretsmanager.create_secret(Name=name, SecretString=value)


def create_endpoints(definition: Path) -> None:
    sagemaker = boto3.client("sagemaker")
    for endpoint, variants in declared_endpoints(definition).items():
        for name, table in variants.items():
            sagemaker.create_model(**model_request(endpoint, name, table))
        sagemaker.create_endpoint_config(**config_request(endpoint, variants))
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)


def declared_endpoints(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The production variants' tables, by endpoint and name."""
    document = tomllib.loads(path.read_text("utf-8"))
    return {name: endpoint["variants"] for name, endpoint in document["endpoints"].items()}


def model_request(
    endpoint: str, variant: str, table: Mapping[str, Any]
) -> "CreateModelInputTypeDef":
    return {
        "ModelName": f"{endpoint}-{variant}",
        "ExecutionRoleArn": _ROLE,
        "PrimaryContainer": {
            "Image": _IMAGE,
            "Environment": {"SM_VLLM_SERVED_MODEL_NAME": str(table["engine"])},
        },
    }


def config_request(
    endpoint: str, variants: Mapping[str, Mapping[str, Any]]
) -> "CreateEndpointConfigInputTypeDef":
    return {
        "EndpointConfigName": endpoint,
        "ProductionVariants": [
            {
                "VariantName": name,
                "ModelName": f"{endpoint}-{name}",
                "InitialInstanceCount": table["initial_instance_count"],
                "InstanceType": table["local_instance_type"],
                "InitialVariantWeight": table["weight"],
            }
            for name, table in variants.items()
        ],
    }


def main() -> int:
    request = json.load(sys.stdin)
    boto3.setup_default_session()
    try:
        with ThreadPoolExecutor() as pool:
            others = [
                pool.submit(create_secrets, request["secrets"]),
                pool.submit(create_endpoints, Path(request["endpoints"])),
            ]
            tables = create_tables(Path(request["tables"]))
            for other in others:
                other.result()
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    json.dump(tables, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
