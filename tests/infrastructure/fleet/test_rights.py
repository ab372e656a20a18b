"""What engines may do in AWS: load their model, read their key, and nothing else."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from gpu_fleet.engines import load_fleet
from tests.support.synth import resources, templates

FLEET: Final = load_fleet()
ENGINES: Final = tuple(FLEET.engines)
REVISION: Final = FLEET.engines["mistral-7b-fp16"].revision
REFERENCE: Final = f"/models/mistralai/Mistral-7B-Instruct-v0.2/{REVISION}/*"
LORA: Final = "mistral-7b-lora"


def association(account: str) -> dict[str, Any]:
    found = resources(templates("dev")["fleet"], "AWS::EKS::PodIdentityAssociation").values()
    (one,) = [each for each in found if each["Properties"]["ServiceAccount"] == account]
    properties: dict[str, Any] = one["Properties"]
    return properties


def statements(account: str) -> list[dict[str, Any]]:
    role = association(account)["RoleArn"]["Fn::GetAtt"][0]
    policies = resources(templates("dev")["fleet"], "AWS::IAM::Policy").values()
    (policy,) = [one for one in policies if {"Ref": role} in one["Properties"]["Roles"]]
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def actions(account: str) -> set[str]:
    return {action for one in statements(account) for action in _list(one["Action"])}


def object_patterns(account: str, action: str) -> list[str]:
    """Of the bucket's objects, after its name."""
    (statement,) = [one for one in statements(account) if action in _list(one["Action"])]
    return sorted(one["Fn::Join"][1][-1] for one in _list(statement["Resource"]))


def _list(value: Any) -> Sequence[Any]:  # noqa: ANN401  (IAM takes one or several)
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_reads_and_never_writes(engine: str) -> None:
    assert association(engine)["Namespace"] == "llm-baseline"
    assert actions(engine) == {
        "s3:ListBucket",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "secretsmanager:DescribeSecret",
    }


def test_an_engine_reads_its_own_model_and_adapters() -> None:
    assert object_patterns("mistral-7b-fp16", "s3:GetObject") == [REFERENCE]
    assert object_patterns(LORA, "s3:GetObject") == [
        "/adapters/lora-v1@1/*",
        "/adapters/lora-v2@1/*",
        "/models/TheBloke/Mistral-7B-Instruct-v0.2-AWQ/main/*",
    ]


def test_the_copier_writes_models_and_nothing_else() -> None:
    assert object_patterns("weights", "s3:PutObject") == [
        "/models/TheBloke/Mistral-7B-Instruct-v0.2-AWQ/main/*",
        REFERENCE,
    ]
    assert "s3:GetObject" not in actions("weights")
    assert "s3:DeleteObject" not in actions("weights")


@pytest.mark.parametrize("account", [*ENGINES, "weights"])
def test_listing_is_bounded_by_the_same_prefixes(account: str) -> None:
    (listing,) = [one for one in statements(account) if one["Action"] == "s3:ListBucket"]
    readable = "s3:PutObject" if account == "weights" else "s3:GetObject"
    prefixes = listing["Condition"]["StringLike"]["s3:prefix"]
    assert sorted(f"/{one}" for one in prefixes) == object_patterns(account, readable)


def secret_read(account: str) -> Any:  # noqa: ANN401  (a reference)
    (reading,) = [
        one for one in statements(account) if "secretsmanager:GetSecretValue" in one["Action"]
    ]
    (resource,) = _list(reading["Resource"])
    return resource


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_reads_its_own_key_and_no_others(engine: str) -> None:
    keys = resources(templates("dev")["fleet"], "AWS::SecretsManager::Secret")
    key = keys[secret_read(engine)["Ref"]]
    assert key["Properties"]["Name"] == f"llmo/dev/engine-key/{engine}"
    assert key["Properties"]["GenerateSecretString"]["PasswordLength"] >= 64
    assert len(keys) == len(ENGINES)


def test_the_copier_reads_the_hubs_token_alone() -> None:
    assert "hubtoken" in json.dumps(secret_read("weights")).lower().replace("-", "")
