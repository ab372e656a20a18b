"""Endpoints on a stage: names that are unique, components that exist, instances that fit."""

from pathlib import Path

import pytest

from cdk.deployment import Deployment, Sources
from cdk.errors import WrongInput
from cdk.team_endpoints import team_endpoints
from sagemaker_models.endpoints import ENDPOINTS_TOML

TEXT = ENDPOINTS_TOML.read_text()


def read(tmp_path: Path, text: str) -> Deployment:
    path = tmp_path / "endpoints.toml"
    path.write_text(text)
    return Deployment.read("staging", sources=Sources(endpoints=path))


def test_what_components_read_is_the_base_and_each_adapters_archive() -> None:
    finetune = team_endpoints(Deployment.read("staging"))[1]
    assert finetune.components == (
        "llmo-staging-mistral-7b-lora",
        "llmo-staging-lora-v1",
        "llmo-staging-lora-v2",
    )
    assert finetune.objects == [
        "adapters/lora-v1@1.tar.gz",
        "adapters/lora-v2@1.tar.gz",
        "models/TheBloke/Mistral-7B-Instruct-v0.2-AWQ/main/*",
    ]


def test_a_fourth_endpoint_is_one_entry(tmp_path: Path) -> None:
    entry = TEXT[TEXT.index("[endpoints.quant-endpoint]") : TEXT.index("[endpoints.finetune")]
    more = read(tmp_path, TEXT + entry.replace("quant-endpoint", "second-endpoint"))
    assert [one.deployed_name for one in team_endpoints(more)][-1] == "llmo-staging-second-endpoint"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"ml.g5.xlarge"', '"ml.p5.xlarge"', "p5.xlarge is not in instances.toml"),
        ('"mistral-7b-lora", "lora-v1"', '"lora-v1"', "must name the base, 'mistral-7b-lora'"),
        ('"lora-v2"]', '"lora-v9"]', "has no adapter 'lora-v9'; there are: lora-v1, lora-v2"),
        ("endpoints.quant-endpoint", f"endpoints.{'q' * 60}", "63 characters at most"),
    ],
)
def test_what_could_not_be_deployed_is_one_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(WrongInput, match=said) as error:
        team_endpoints(read(tmp_path, TEXT.replace(old, new)))
    assert str(error.value).startswith("endpoints.toml: endpoints.")
    assert "\n" not in str(error.value)


def test_half_precision_on_a_small_card_is_refused_with_the_numbers(tmp_path: Path) -> None:
    text = TEXT.replace('"mistral-7b-awq"', '"mistral-7b-fp16"')
    text = text.replace('instance_type = "ml.g5.xlarge"', 'instance_type = "ml.g4dn.xlarge"', 1)
    with pytest.raises(WrongInput, match=r"does not fit g4dn\.xlarge: [\d.]+ GiB of"):
        team_endpoints(read(tmp_path, text))
