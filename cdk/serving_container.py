"""AWS's vLLM container on SageMaker, and how an engine's entry becomes its environment.

The container makes vLLM's arguments of its environment: `SM_VLLM_MAX_MODEL_LEN=4096` becomes
`--max-model-len 4096`, and `true` a bare flag. It runs them by supervisord, which expands `%`, so
no value may have one. An inference component takes 16 variables at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from cdk.errors import WrongInput
from cdk.weights import chat_template_file
from gpu_fleet.engines import Engine
from gpu_fleet.serving import in_container, vllm_arguments

PREFIX: Final = "SM_VLLM_"
MODEL_FOLDER: Final = PurePosixPath("/opt/ml/model")
DOWNLOAD_TIMEOUT_S: Final = 1200

# Newest that AWS lists, docs/src/data/vllm/0.31.0-gpu-sagemaker.yml of aws/deep-learning-containers
# (November 2026); engines on EKS run 0.32.0. A digest goes behind it: `…-sagemaker@sha256:…`.
TAG: Final = "0.31.0-gpu-py312-cu130-ubuntu24.04-sagemaker"
REPOSITORY: Final = "vllm"
# A CUDA 13 image needs driver 580: what InferenceAmiVersion's documentation lists for this name.
HOST_IMAGE: Final = "al2023-ami-sagemaker-inference-gpu-4-1"

# Accounts of AWS that own the repository, where it isn't the first: image_uri_config of
# sagemaker-python-sdk (huggingface-llm.json, November 2026).
_ACCOUNT: Final = "763104351884"
_ACCOUNTS: Final = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-northeast-3": "364406365360",
    "ap-south-2": "772153158452",
    "ap-southeast-3": "907027046896",
    "ap-southeast-4": "457447274322",
    "eu-central-2": "380420809688",
    "eu-south-1": "692866216735",
    "eu-south-2": "503227376785",
    "il-central-1": "780543022126",
    "me-central-1": "914824155844",
    "me-south-1": "217643126080",
}

_DROPPED: Final = {
    "model": "SageMaker puts the weights into MODEL_FOLDER, where the container looks",
    "host": "the container listens on all addresses",
    "port": "the container is told 8080, where SageMaker asks",
    "shutdown-timeout": "SageMaker kills a container 30 s after SIGTERM, by when it has no traffic",
    "lora-modules": "each adapter is an inference component, which SageMaker loads and names",
}


def image_account(region: str) -> str:
    return _ACCOUNTS.get(region, _ACCOUNT)


def image_uri(region: str) -> str:
    return f"{image_account(region)}.dkr.ecr.{region}.amazonaws.com/{REPOSITORY}:{TAG}"


def serving_environment(name: str, engine: Engine) -> dict[str, str]:
    """What the same engine gets in a pod as arguments. Raises WrongInput for what can't be said."""
    placement = in_container(
        engine,
        adapters=MODEL_FOLDER / "adapters",
        # Beside the weights: in the environment supervisord would expand its `%`.
        chat_template=MODEL_FOLDER / chat_template_file(),
    )
    environment = dict(_variables(vllm_arguments(name, engine, placement)))
    if engine.lora:
        environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "true"  # or SageMaker can't load adapters
    return environment


def _variables(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    for option, value in _options(arguments).items():
        if option in _DROPPED:
            continue
        if "%" in value:
            raise WrongInput(f"--{option}: {value!r} has a %, which supervisord would expand")
        yield f"{PREFIX}{option.upper().replace('-', '_')}", value


def _options(arguments: Sequence[str]) -> Mapping[str, str]:
    """`--name=value` and `--flag`; further words belong to the option before them."""
    options: dict[str, str] = {}
    for argument in arguments:
        if argument.startswith("--"):
            last, equals, value = argument.removeprefix("--").partition("=")
            options[last] = value if equals else "true"
    return options
