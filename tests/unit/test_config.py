"""`gateway.toml` is read strictly: what is wrong is told with file, key and reason."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from chalicelib.config import load_config
from chalicelib.errors import ConfigError
from chalicelib.settings import Settings

GOOD: Final = """
[teams.quant]
timeout_s = 30
salt = "s"
[teams.quant.variants.awq]
weight = 100
model = "m"
targets = ["vllm:one"]
"""


def load(folder: Path, text: str, *, limit_s: float = 60) -> object:
    file = folder / "gateway.toml"
    file.write_text(text, "utf-8")
    return load_config(file, integration_timeout_s=limit_s)


def test_the_shipped_file_is_what_the_platform_promises() -> None:
    config = load_config(Settings().config_file, integration_timeout_s=60)
    assert {team.name: team.timeout_s for team in config.teams.values()} == {
        "quant": 30,
        "finetune": 60,
        "eval": 45,
        "reference": 30,
    }
    assert {team.name: team.declared_weights for team in config.teams.values()} == {
        "quant": {"awq": 100},
        "finetune": {"lora-v1": 80, "lora-v2": 20},
        "eval": {"judge": 100},
        "reference": {"fp16": 100},
    }
    assert [team.name for team in config.teams.values() if team.shared] == ["reference"]
    assert not any(team.cross_variant_fallback for team in config.teams.values())
    places = [target.name for target in config.targets()]
    assert len(places) == len(set(places))


def test_what_ships_can_be_reached_on_the_fleet_whatever_sagemaker_does() -> None:
    config = load_config(Settings().config_file, integration_timeout_s=60)
    for team in config.teams.values():
        for variant in team.variants.values():
            assert "vllm" in {target.backend for target in variant.targets}


def test_what_is_not_said_has_the_documented_default(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD, "utf-8")
    config = load_config(file, integration_timeout_s=60)
    team = config.teams["quant"]
    assert (team.attempt_timeout_s, team.max_attempts) == (15, 2)
    assert (team.shared, team.cross_variant_fallback) == (False, False)
    breaker = config.breaker
    assert (breaker.window_s, breaker.min_calls) == (30, 5)
    assert (breaker.failure_ratio, breaker.open_s) == (0.5, 15)


def test_targets_of_a_backend_that_the_stage_lacks_are_left_out(tmp_path: Path) -> None:
    only: Any = {"integration_timeout_s": 60, "backends": {"vllm"}}
    config = load_config(Settings().config_file, **only)
    assert {target.backend for target in config.targets()} == {"vllm"}
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD.replace("vllm:one", "sagemaker:one"), "utf-8")
    with pytest.raises(
        ConfigError, match=r"teams\.quant\.variants\..*targets.*this stage has: vllm"
    ):
        load_config(file, **only)


@pytest.mark.parametrize("place", ["Endpoint-1", "end-point/blue", "end-point#lora-v1"])
def test_a_part_of_an_endpoint_may_be_named(tmp_path: Path, place: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD.replace("vllm:one", f"sagemaker:{place}"), "utf-8")
    (target,) = load_config(file, integration_timeout_s=60).targets()
    assert target.name == f"sagemaker:{place}"
    assert (target.backend, target.place) == ("sagemaker", place)


VARIANT: Final = "teams.quant.variants.awq"
REJECTED: Final[list[tuple[str, str, str, str]]] = [
    # replace this, by that; the key that is told, words of the reason
    ("timeout_s = 30", "timeout_s = 61", "teams.quant.timeout_s", "the stage's integration limit"),
    ("timeout_s = 30", "timeout_s = 0", "teams.quant.timeout_s", "above 0"),
    ("timeout_s = 30", "timeout_s = -1", "teams.quant.timeout_s", "above 0"),
    ("timeout_s = 30", 'timeout_s = "30"', "teams.quant.timeout_s", "must be a"),
    ("timeout_s = 30", "timeout_s = true", "teams.quant.timeout_s", "must be a"),
    ("timeout_s = 30", "timeout_s = nan", "teams.quant.timeout_s", "above 0"),
    ("timeout_s = 30", "timeout_s = inf", "teams.quant.timeout_s", "is above"),
    ("timeout_s = 30\n", "", "teams.quant.timeout_s", "is missing"),
    ("timeout_s = 30", "timeout = 30", "teams.quant.timeout_s", "is missing"),
    ("timeout_s = 30", "timeout_s = 30\ntimeuot = 1", "teams.quant.timeuot", "not a known key"),
    ('salt = "s"\n', "", "teams.quant.salt", "is missing"),
    ('salt = "s"', "salt = 1", "teams.quant.salt", "must be a string"),
    ('salt = "s"', 'salt = "s"\nshared = 1', "teams.quant.shared", "must be true or false"),
    (
        'salt = "s"',
        'salt = "s"\nattempt_timeout_s = 31',
        "teams.quant.attempt_timeout_s",
        "31 is above 30",
    ),
    ('salt = "s"', 'salt = "s"\nmax_attempts = 0', "teams.quant.max_attempts", "above 0"),
    ('salt = "s"', 'salt = "s"\nmax_attempts = 6', "teams.quant.max_attempts", "is above 5"),
    ('salt = "s"', 'salt = "s"\nmax_attempts = 1.5', "teams.quant.max_attempts", "whole"),
    ("weight = 100", "weight = 99", "teams.quant.variants", "must sum to 100, sum to 99"),
    ("weight = 100", "weight = 101", f"{VARIANT}.weight", "is above 100"),
    ("weight = 100", "weight = -1", f"{VARIANT}.weight", "above"),
    ("weight = 100", "weight = 99.5", f"{VARIANT}.weight", "whole"),
    ("weight = 100\n", "", f"{VARIANT}.weight", "is missing"),
    ('model = "m"', 'model = "../m"', f"{VARIANT}.model", "no served model name"),
    ('model = "m"', 'model = ""', f"{VARIANT}.model", "no served model name"),
    ('model = "m"\n', "", f"{VARIANT}.model", "is missing"),
    ('model = "m"', 'model = "m"\ncolour = "red"', f"{VARIANT}.colour", "not a known key"),
    ('["vllm:one"]', "[]", f"{VARIANT}.targets", "at least one"),
    ('["vllm:one"]', '["vllm:one", "vllm:one"]', f"{VARIANT}.targets", "each once"),
    ('["vllm:one"]', '["http://one"]', f"{VARIANT}.targets", "'http://one' is neither"),
    ('["vllm:one"]', '["bedrock:one"]', f"{VARIANT}.targets", "'bedrock:one' is neither"),
    ('["vllm:one"]', '["vllm:../one"]', f"{VARIANT}.targets", "'vllm:../one' is neither"),
    ('["vllm:one"]', '["vllm:one/blue"]', f"{VARIANT}.targets", "neither"),
    ('["vllm:one"]', "[1]", f"{VARIANT}.targets", "1 is neither"),
    ('["vllm:one"]', '"vllm:one"', f"{VARIANT}.targets", "must be a list"),
    ("[teams.quant]", "[teams.Quant]", "teams.Quant", "must match"),
    ("variants.awq", "variants.AWQ", "teams.quant.variants.AWQ", "must match"),
    ("variants.awq", "variants.none", "teams.quant.variants.none", "says in headers"),
    ("variants.awq", '"variants.a"', "teams.quant", ""),
    ("[teams.quant]", "extra = 1\n[teams.quant]", "extra", "not a known key"),
    ("[teams.quant]", "[breaker]\nopen_s = 0\n[teams.quant]", "breaker.open_s", "above 0"),
    (
        "[teams.quant]",
        "[breaker]\nfailure_ratio = 1.5\n[teams.quant]",
        "breaker.failure_ratio",
        "above 1",
    ),
    ("[teams.quant]", "[breaker]\nopens = 1\n[teams.quant]", "breaker.opens", "not a known key"),
    ("[teams.quant]", "breaker = 1\n[teams.quant]", "breaker", "must be a table"),
]


@pytest.mark.parametrize(("this", "that", "key", "reason"), REJECTED)
def test_what_is_wrong_is_rejected_with_file_key_and_reason(
    tmp_path: Path, this: str, that: str, key: str, reason: str
) -> None:
    text = GOOD.replace(this, that)
    assert text != GOOD
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert re.match(rf"gateway\.toml: {re.escape(key)}\b", str(caught.value))
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["", "[teams]", "[breaker]\nopen_s = 1"])
def test_without_a_team_there_is_nothing_to_serve(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.toml: teams: "):
        load(tmp_path, text)


@pytest.mark.parametrize("text", ["[teams.quant\n", "a = \n", "x"])
def test_what_is_no_toml_is_rejected(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.toml: file: is not TOML"):
        load(tmp_path, text)


def test_what_is_no_text_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(file, integration_timeout_s=60)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.toml"
    with pytest.raises(ConfigError, match=r"nowhere\.toml: file: does not exist"):
        load_config(missing, integration_timeout_s=60)


def test_the_limit_is_the_stages(tmp_path: Path) -> None:
    load(tmp_path, GOOD, limit_s=30)
    with pytest.raises(ConfigError, match=r"30 is above 29"):
        load(tmp_path, GOOD, limit_s=29)
