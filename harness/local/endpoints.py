"""`sagemaker_models/endpoints.toml` as the requests that make its endpoints."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointConfigInputTypeDef,
        CreateModelInputTypeDef,
    )

_ACCOUNT: Final = "123456789012"  # the AWS stand-in's
_ROLE: Final = f"arn:aws:iam::{_ACCOUNT}:role/llmo-local-sagemaker"
_IMAGE: Final = f"{_ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/vllm:local"


def load(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The production variants' tables, by endpoint and name."""
    document = tomllib.loads(path.read_text("utf-8"))
    return {name: endpoint["variants"] for name, endpoint in document["endpoints"].items()}


def model(endpoint: str, variant: str, table: Mapping[str, Any]) -> "CreateModelInputTypeDef":
    return {
        "ModelName": f"{endpoint}-{variant}",
        "ExecutionRoleArn": _ROLE,
        "PrimaryContainer": {
            "Image": _IMAGE,
            "Environment": {"SM_VLLM_SERVED_MODEL_NAME": str(table["engine"])},
        },
    }


def config(
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
