"""`python -m gpu_fleet manifests`, and what an entry may not say because of Kubernetes."""

from pathlib import Path

import pytest
import yaml

from gpu_fleet.__main__ import main
from gpu_fleet.engines import ENGINES_TOML, load_fleet
from gpu_fleet.errors import ConfigError


def test_one_engine_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifests", "--engine", "mistral-7b-awq"]) == 0
    text = capsys.readouterr().out
    objects = list(yaml.safe_load_all(text))
    assert {one["metadata"]["name"] for one in objects} == {"mistral-7b-awq", "mistral-7b-awq-s3"}
    assert "&id" not in text


def test_too_few_gpus_are_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifests", "--gpus", "3"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: engines want 4 GPUs at least")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        ("[engines.mistral-7b-awq]", "[engines.Mistral_7B]", "engines.Mistral_7B: is no name"),
        (
            "lora = { max_loras = 4,",
            "lora = { versions = { lora-v9 = 2 }, max_loras = 4,",
            "lora.versions: no adapter lora-v9; there are: lora-v1, lora-v2",
        ),
    ],
)
def test_what_kubernetes_could_not_have(
    tmp_path: Path, pattern: str, replacement: str, message: str
) -> None:
    text = ENGINES_TOML.read_text("utf-8")
    assert pattern in text
    path = tmp_path / "engines.toml"
    path.write_text(text.replace(pattern, replacement), "utf-8")
    with pytest.raises(ConfigError, match=message):
        load_fleet(path)
