"""`python -m cdk`: wrong input is one line and exit code 64."""

import subprocess
import sys

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cdk", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cost", "--stage", "nope"), "error: stage: no 'nope' in stages.toml"),
        (("cost", "--stage", "dev", "--prices", "nowhere.toml"), "error: nowhere.toml: file"),
        (("cost",), "error: Missing option '--stage'."),
        (("bogus",), "error: No such command 'bogus'."),
    ],
)
def test_wrong_input_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 64
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_plan_is_the_fleets_table() -> None:
    done = run("plan")
    assert done.returncode == 0
    assert "mistral-7b-awq" in done.stdout
    assert "fits" in done.stdout
