from pathlib import Path

import pytest

from harness.local.aws_resources import (
    config_request,
    create_endpoints,
    declared_endpoints,
    model_request,
)
from harness.local.layout import Layout
from tests.support.local_aws import LocalAws

DEFINITION = Layout.of_repository().root / "sagemaker_models" / "endpoints.toml"


def test_a_production_variant_becomes_what_the_stand_in_takes(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.toml"
    file.write_text("""
        [endpoints.e.variants.v]
        engine = "an-engine"
        weight = 0.5
        initial_instance_count = 2
        instance_type = "ml.g5.xlarge"
        local_instance_type = "ml.g4dn.xlarge"
    """)

    variants = declared_endpoints(file)["e"]

    assert config_request("e", variants) == {
        "EndpointConfigName": "e",
        "ProductionVariants": [
            {
                "VariantName": "v",
                "ModelName": "e-v",
                "InitialInstanceCount": 2,
                "InstanceType": "ml.g4dn.xlarge",
                "InitialVariantWeight": 0.5,
            }
        ],
    }
    made = model_request("e", "v", variants["v"])
    assert made["ModelName"] == "e-v"
    assert made["PrimaryContainer"]["Environment"] == {"SM_VLLM_SERVED_MODEL_NAME": "an-engine"}


def test_every_declared_endpoint_is_made_and_in_service(
    monkeypatch: pytest.MonkeyPatch, aws: LocalAws
) -> None:
    for name, value in aws.env().items():
        monkeypatch.setenv(name, value)

    create_endpoints(DEFINITION)

    for name, variants in declared_endpoints(DEFINITION).items():
        made = aws.client("sagemaker").describe_endpoint(EndpointName=name)
        assert made["EndpointStatus"] == "InService"
        assert {one["VariantName"] for one in made["ProductionVariants"]} == set(variants)
