import re
from pathlib import Path

import pytest

from gpu_fleet.engines import ENGINES_TOML, INSTANCES_TOML, load_fleet, served_models
from gpu_fleet.errors import ConfigError, SetupError

TEXT = ENGINES_TOML.read_text()


def test_the_shipped_fleet_is_the_four_engines_of_the_teams() -> None:
    engines = load_fleet().engines
    assert {name: engine.team for name, engine in engines.items()} == {
        "mistral-7b-awq": "quant",
        "mistral-7b-fp16": "platform",
        "mistral-7b-lora": "finetune",
        "mistral-7b-judge": "eval",
    }


def test_an_engine_serves_its_base_under_its_own_name_and_each_adapter() -> None:
    engines = load_fleet().engines
    assert served_models("mistral-7b-lora", engines["mistral-7b-lora"]) == (
        "mistral-7b-lora",
        "lora-v1",
        "lora-v2",
    )
    assert served_models("mistral-7b-awq", engines["mistral-7b-awq"]) == ("mistral-7b-awq",)


def test_spot_capacity_is_looked_for_in_several_types_everywhere() -> None:
    assert all(len(engine.instance_types) > 1 for engine in load_fleet().engines.values())


def test_engines_are_selected_by_name_in_the_files_order() -> None:
    fleet = load_fleet()
    assert list(fleet.select(["mistral-7b-judge", "mistral-7b-awq"])) == [
        "mistral-7b-awq",
        "mistral-7b-judge",
    ]
    assert list(fleet.select([])) == list(fleet.engines)


def test_selecting_an_unknown_engine_names_those_there_are() -> None:
    with pytest.raises(SetupError, match="no engine 'gpt'; there are: mistral-7b-awq, "):
        load_fleet().select(["gpt"])


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        ('team = "quant"\n', "", "engines.mistral-7b-awq.team: is missing"),
        ('team = "quant"', "team = 4", "engines.mistral-7b-awq.team: must be of type str, is 4"),
        (
            'team = "quant"',
            'team = "quant"\ncolour = "red"',
            "engines.mistral-7b-awq.colour: unknown key; allowed: team, model, architecture, ",
        ),
        (
            'quantization = "awq"',
            'quantization = "gptq"',
            "engines.mistral-7b-awq.quantization: is 'gptq'; allowed: none, awq",
        ),
        (
            "max_num_seqs = 32",
            "max_num_seqs = 0",
            "engines.mistral-7b-awq.max_num_seqs: is 0; allowed: 1 to 1e+06",
        ),
        (
            "max_num_seqs = 32",
            "max_num_seqs = true",
            "engines.mistral-7b-awq.max_num_seqs: must be of type int, is True",
        ),
        (
            'architecture = "mistral-7b"',
            'architecture = "llama"',
            "engines.mistral-7b-awq.architecture: unknown; declared: mistral-7b",
        ),
        (
            r"instance_types = \[.*\]",
            'instance_types = ["g4dn.xlarge", "t3.nano"]',
            "engines.mistral-7b-awq.instance_types: 't3.nano' is not in instances.toml: ",
        ),
        (
            r"instance_types = \[.*\]",
            "instance_types = []",
            "engines.mistral-7b-awq.instance_types: must name at least one type",
        ),
        (
            r"instance_types = \[.*\]",
            'instance_types = "g4dn.xlarge"',
            "engines.mistral-7b-awq.instance_types: must be a list, is 'g4dn.xlarge'",
        ),
        (
            r"replicas = \{.*\}",
            "replicas = { min = 3, max = 2 }",
            "engines.mistral-7b-awq.replicas: min is above max",
        ),
        (
            r"replicas = \{.*\}",
            "replicas = 3",
            "engines.mistral-7b-awq.replicas: must be a table, is 3",
        ),
        (
            "max_loras = 4",
            "max_loras = 1",
            "engines.mistral-7b-lora.lora.max_loras: is below the number of adapters",
        ),
        (
            'lora-v1 = "lora-v1"',
            "lora-v1 = 1",
            "engines.mistral-7b-lora.lora.adapters.lora-v1: must be of type str, is 1",
        ),
    ],
)
def test_a_wrong_entry_is_refused_with_file_key_and_what_is_allowed(
    tmp_path: Path, pattern: str, replacement: str, message: str
) -> None:
    file = tmp_path / "engines.toml"
    text, changed = re.subn(pattern, replacement, TEXT, count=1)
    assert changed == 1
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_fleet(file)
    assert str(error.value).startswith(f"{file}: {message}")


def test_a_file_that_is_no_toml_or_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "engines.toml"
    with pytest.raises(ConfigError, match="file: can't be read: No such file"):
        load_fleet(file)
    file.write_text("[engines")
    with pytest.raises(ConfigError, match="file: is not TOML: "):
        load_fleet(file)


def test_instances_are_read_as_strictly(tmp_path: Path) -> None:
    file = tmp_path / "instances.toml"
    file.write_text(INSTANCES_TOML.read_text().replace("vcpus = 4", 'vcpus = "4"', 1))
    with pytest.raises(ConfigError, match=r"g4dn.xlarge.vcpus: must be of type int, is '4'"):
        load_fleet(ENGINES_TOML, file)
