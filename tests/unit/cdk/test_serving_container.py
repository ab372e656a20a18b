"""One engine's entry gives a pod's arguments and a container's environment alike."""

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from cdk import weights
from cdk.errors import WrongInput
from cdk.serving_container import image_uri, serving_environment
from cdk.weights import chat_template_file
from gpu_fleet.engines import Engine, load_fleet
from gpu_fleet.manifests.weights import template_file
from gpu_fleet.serving import in_container, vllm_arguments

ENGINES: Final = load_fleet().engines
DIFFERS: Final = {"model", "host", "port", "shutdown-timeout", "lora-modules", "chat-template"}
FOLDER: Final = PurePosixPath("/x")


@pytest.mark.parametrize("name", ENGINES)
def test_every_option_of_the_pod_is_in_the_environment_or_differs_on_purpose(name: str) -> None:
    engine = ENGINES[name]
    arguments = vllm_arguments(
        name, engine, in_container(engine, adapters=FOLDER, chat_template=FOLDER)
    )
    said = {
        f"--{variable.removeprefix('SM_VLLM_').lower().replace('_', '-')}": value
        for variable, value in serving_environment(name, engine).items()
        if variable.startswith("SM_VLLM_")
    }
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if option.startswith("--") and option.removeprefix("--") not in DIFFERS:
            assert said.pop(option) == (value if equals else "true"), option
    assert said == {"--chat-template": f"/opt/ml/model/{chat_template_file()}"}


def test_another_chat_template_is_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or SageMaker would never hear of it: its model would not change."""
    before = serving_environment("mistral-7b-awq", ENGINES["mistral-7b-awq"])
    other = tmp_path / "other.jinja"
    other.write_text("{{ other }}")
    monkeypatch.setattr(weights, "CHAT_TEMPLATE", other)
    after = serving_environment("mistral-7b-awq", ENGINES["mistral-7b-awq"])
    assert {name for name in before if before[name] != after[name]} == {"SM_VLLM_CHAT_TEMPLATE"}
    assert after["SM_VLLM_CHAT_TEMPLATE"] == f"/opt/ml/model/{template_file('{{ other }}')}"


def test_values_are_the_entrys() -> None:
    environment = serving_environment("mistral-7b-awq", ENGINES["mistral-7b-awq"])
    assert environment["SM_VLLM_MAX_MODEL_LEN"] == "4096"
    assert environment["SM_VLLM_SERVED_MODEL_NAME"] == "mistral-7b-awq"
    assert environment["SM_VLLM_NO_ENABLE_LOG_REQUESTS"] == "true"
    assert '"backend": "xgrammar"' in environment["SM_VLLM_STRUCTURED_OUTPUTS_CONFIG"]
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" not in environment


def test_a_base_lets_sagemaker_load_adapters_and_names_none_itself() -> None:
    environment = serving_environment("mistral-7b-lora", ENGINES["mistral-7b-lora"])
    assert environment["SM_VLLM_ENABLE_LORA"] == "true"
    assert environment["SM_VLLM_MAX_LORAS"] == "4"
    assert environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "true"
    assert not any("lora-v1" in value for value in environment.values())


@pytest.mark.parametrize("name", ENGINES)
def test_an_environment_is_one_that_sagemaker_and_supervisord_take(name: str) -> None:
    environment = serving_environment(name, ENGINES[name])
    assert len(environment) <= 16
    assert all(len(value) <= 1024 for value in environment.values())
    assert not any("%" in value for value in environment.values())


def test_a_value_that_supervisord_would_expand_is_refused() -> None:
    engine: Engine = replace(ENGINES["mistral-7b-awq"], dtype="%(here)s")  # type: ignore[arg-type]
    with pytest.raises(WrongInput, match=r"--dtype: .* has a %"):
        serving_environment("mistral-7b-awq", engine)


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("us-west-2", "763104351884.dkr.ecr.us-west-2.amazonaws.com"),
        ("eu-central-2", "380420809688.dkr.ecr.eu-central-2.amazonaws.com"),
    ],
)
def test_the_image_is_the_regions_own_and_has_a_version(region: str, registry: str) -> None:
    place, _, tag = image_uri(region).partition("/vllm:")
    assert place == registry
    assert tag[0].isdigit()
    assert "latest" not in tag
