"""Another checkout: the files of this one, elsewhere, with other times and a build/ of its own."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.synth import ROOT, Template

_NOT_SYNTHESISED: Final = ("tests/", "docs/", "runs/")
_WHEELS: Final = ".venvs/lambda"


def copy(folder: Path) -> Path:
    """What git knows or would add, but tests and docs; wheels of the functions are shared."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in listed.rstrip("\0").split("\0"):
        if (ROOT / name).is_file() and not name.startswith(_NOT_SYNTHESISED):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
            shutil.copymode(ROOT / name, folder / name)
    (folder / _WHEELS).parent.mkdir(exist_ok=True)
    (folder / _WHEELS).symlink_to(ROOT / _WHEELS)
    return folder


def replace(checkout: Path, name: str, pattern: str, replacement: str) -> None:
    """In one of its files, which must hold the pattern."""
    path = checkout / name
    text = path.read_text("utf-8")
    assert pattern in text, f"{name} has no {pattern!r}"
    path.write_text(text.replace(pattern, replacement, 1), "utf-8")


def templates(assembly: Path, stage: str) -> Mapping[str, Template]:
    return {
        file.name.removeprefix(f"llmo-{stage}-").removesuffix(".template.json"): json.loads(
            file.read_text("utf-8")
        )
        for file in assembly.glob("*.template.json")
    }
