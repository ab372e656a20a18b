"""How every command ends."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness import terminal
from harness.verdict import Verdict


def test_a_command_ends_with_its_verdict_and_where_to_read_on() -> None:
    console = Console(file=io.StringIO(), width=20)

    terminal.closing(
        console, Verdict.PASS, run=Path("build/runs/one"), report=Path("build/runs/one/report.html")
    )

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "PASS",
        "run     build/runs/one",
        "report  build/runs/one/report.html",
    ]


def test_a_path_is_shown_as_it_would_be_typed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert terminal.from_here(tmp_path / "build" / "runs") == Path("build/runs")
    assert terminal.from_here(tmp_path.parent / "other") == tmp_path.parent / "other"
    assert terminal.from_here(Path("build/runs")) == Path("build/runs")
