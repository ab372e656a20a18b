"""The stack's AWS resources, from the definitions that are deployed. The harness' only boto3.

    python -m harness.local.aws_resources < REQUEST

REQUEST is JSON: {"tables": template, "endpoints": file, "secrets": {name: value}}. The stand-in's
address and credentials are in the environment. Prints the tables' names as JSON.
"""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from harness.local import endpoints

STACK: Final = "llmo-tables"


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
    for endpoint, variants in endpoints.load(definition).items():
        for name, table in variants.items():
            sagemaker.create_model(**endpoints.model(endpoint, name, table))
        sagemaker.create_endpoint_config(**endpoints.config(endpoint, variants))
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)


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
