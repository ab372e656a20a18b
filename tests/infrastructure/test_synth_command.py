"""`python -m cdk.synth`, which `make synth` runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from cdk.synth import main
from tests.support.synth import ROOT


@pytest.mark.parametrize("stage", ["nope", "../dev", ""])
def test_what_is_no_stage_is_one_line_and_touches_nothing(stage: str) -> None:
    before = sorted(ROOT.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "cdk.synth", stage],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    assert done.stderr.splitlines() == [
        f"error: stage: no {stage!r} in stages.toml; there are: dev, staging, prod"
    ]
    assert sorted(ROOT.iterdir()) == before


def test_what_a_folder_held_before_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stack that was removed must not be deployed from what is left of it."""
    monkeypatch.setattr("cdk.synth.ROOT", tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/llmo-dev-old.template.json").write_text("{}")
    assert main(["dev"], tmp_path) == 0
    assert not (tmp_path / "dev/llmo-dev-old.template.json").exists()
    assert (tmp_path / "dev/llmo-dev-data.template.json").is_file()
    assert capsys.readouterr().out.startswith("dev: dev in ")
