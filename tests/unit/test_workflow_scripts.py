"""What workflows decide in their scripts: run as GitHub runs them, in a repository of one's own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from cdk.branches import versions
from cdk.stages import load_stages
from tests.support.workflows import ROOT, jobs, read

WORKFLOWS: Final = ROOT / ".github/workflows"
SYSTEM: Final = "/usr/local/bin:/usr/bin:/bin"
PATH: Final = f"{Path(sys.executable).parent}{os.pathsep}{SYSTEM}"
"""With a Python, which runners have."""
AUTHOR: Final = ("-c", "user.name=one", "-c", "user.email=one@example.org")


@dataclass(frozen=True)
class Ended:
    code: int
    said: str
    failed: str
    """On the other stream."""
    told: dict[str, str]
    """What it left for the steps that follow."""


def script(workflow: str, job: str, step: int) -> str:
    text: str = jobs(read(WORKFLOWS / f"{workflow}.yaml"))[job]["steps"][step]["run"]
    return text


def run(text: str, folder: Path, **environment: str) -> Ended:
    told = folder / ".told"
    told.touch()
    done = subprocess.run(
        ["/bin/bash", "-e", "-c", text],
        cwd=folder,
        env={
            "PATH": SYSTEM,
            "HOME": str(folder),
            "GITHUB_ENV": str(told),
            "GITHUB_OUTPUT": str(told),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line.partition("=") for line in told.read_text().splitlines()]
    return Ended(
        done.returncode, done.stdout, done.stderr, {name: value for name, _, value in lines}
    )


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *AUTHOR, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Of a repository with main, develop, a version, and a commit that is on neither branch."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "commit", "--quiet", "--allow-empty", "-m", "first")
    git(origin, "tag", "v1.0.0")
    git(origin, "commit", "--quiet", "--allow-empty", "-m", "second")
    git(origin, "switch", "--quiet", "-c", "develop")
    git(origin, "commit", "--quiet", "--allow-empty", "-m", "third")
    git(origin, "switch", "--quiet", "-c", "somebodys")
    git(origin, "commit", "--quiet", "--allow-empty", "-m", "not reviewed")
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What a runner has of this repository, as far as stages are looked up."""
    for package in ("cdk", "gpu_fleet"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / "files" / package, ignore=ignored)
    return tmp_path / "files"


def believed(folder: Path, stage: str) -> Ended:
    return run(script("stage", "run", 1), folder, STAGE=stage, PATH=PATH)


def take(clone: Path, asked: str, stage: str = "dev") -> Ended:
    branches = versions(load_stages()[stage])
    return run(script("stage", "run", 2), clone, ASKED=asked, BRANCHES=branches)


def test_a_tag_is_checked_out_and_its_name_is_the_version(clone: Path) -> None:
    ended = take(clone, "v1.0.0")
    commit = git(clone, "rev-parse", "v1.0.0")
    assert (ended.code, ended.told) == (0, {"version": "v1.0.0", "commit": commit})
    assert git(clone, "rev-parse", "HEAD") == commit


@pytest.mark.parametrize("branch", ["main", "develop"])
def test_a_commit_of_a_deployed_branch_is_taken(clone: Path, branch: str) -> None:
    commit = git(clone, "rev-parse", f"origin/{branch}")
    ended = take(clone, commit)
    assert ended.code == 0
    assert ended.told["version"].startswith("v1.0.0-")
    assert ended.told["commit"] == commit == git(clone, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v9;id>&2;#", None),
        ("v9$(touch${IFS}pwned)", None),
        ("v9/x", None),
        ("v" + "9" * 63, None),
        ("v" + "9" * 62, "v" + "9" * 62),
        ("v2.0.0-rc_1", "v2.0.0-rc_1"),
        ("latest", "v1.0.0-1-g"),  # no version, so none is named after it
    ],
)
def test_a_tag_that_is_no_plain_name_names_no_version(
    clone: Path, tag: str, version: str | None
) -> None:
    commit = git(clone, "rev-parse", "origin/main")
    git(clone, "tag", "--", tag, commit)
    ended = take(clone, commit)
    assert ended.code == 0
    assert ended.told["version"].startswith(version or commit)
    assert ended.told["commit"] == commit
    assert not (clone / "pwned").exists()


@pytest.mark.parametrize("tag", ["origin/main", "main", "refs/remotes/origin/main"])
def test_a_tag_that_is_named_like_a_branch_is_not_taken_for_it(clone: Path, tag: str) -> None:
    commit = git(clone, "rev-parse", "origin/somebodys")
    git(clone, "tag", "--", tag, commit)
    ended = take(clone, commit)
    assert ended.code != 0
    assert "that version is not on main develop" in ended.said


@pytest.mark.parametrize("stage", load_stages())
def test_a_stage_takes_versions_of_the_branches_that_it_believes_or_of_main(
    clone: Path, stage: str
) -> None:
    believed = load_stages()[stage].github.branches
    assert take(clone, "origin/main", stage).code == 0
    ended = take(clone, "origin/develop", stage)
    assert (ended.code == 0) == ("develop" in believed)
    assert ended.code == 0 or "that version is not on main" in ended.said


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_make_is_told_the_version_by_its_environment_alone(tmp_path: Path, command: str) -> None:
    recorder = tmp_path / "make"
    recorder.write_text('#!/bin/sh\necho "arguments: $*"\necho "version: $VERSION"\n')
    recorder.chmod(0o755)
    ended = run(
        script("stage", "run", -1),
        tmp_path,
        PATH=f"{tmp_path}:/usr/bin:/bin",
        COMMAND=command,
        STAGE="dev",
        VERSION="v1.2.3",
    )
    arguments, version = ended.said.splitlines()
    assert arguments.startswith(f"arguments: {command} STAGE=dev ")
    assert "v1.2.3" not in arguments
    assert version == "version: v1.2.3"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("origin/somebodys", "that version is not on main develop"),
        ("v9.9.9", "no such version"),
        ("--help", "no such version"),
        ("$(touch pwned)", "no such version"),
        ("", "no such version"),
    ],
)
def test_what_was_not_reviewed_is_not_deployed(clone: Path, version: str, said: str) -> None:
    before = git(clone, "rev-parse", "HEAD")
    ended = take(clone, version)
    assert ended.code != 0
    assert said in ended.said
    assert ended.told == {}
    assert git(clone, "rev-parse", "HEAD") == before
    assert not (clone / "pwned").exists()


def where(folder: Path, ref: str, stage: str | None) -> Ended:
    """As GitHub runs it for a push, or for a stage that somebody typed."""
    event = "push" if stage is None else "workflow_dispatch"
    text = script("where", "where", 1)
    return run(text, folder, EVENT=event, ASKED=stage or "", GITHUB_REF=ref, PATH=PATH)


@pytest.mark.parametrize(
    ("branch", "stage"), [("develop", "dev"), ("main", "prod"), ("somebodys", "")]
)
def test_a_push_goes_where_it_belongs_or_nowhere(files: Path, branch: str, stage: str) -> None:
    ended = where(files, f"refs/heads/{branch}", None)
    assert (ended.code, ended.told) == (0, {"stage": stage})


@pytest.mark.parametrize("stage", load_stages())
@pytest.mark.parametrize("branch", ["main", "develop", "somebodys"])
def test_a_branch_goes_by_hand_where_aws_believes_it(files: Path, stage: str, branch: str) -> None:
    ended = where(files, f"refs/heads/{branch}", stage)
    believed = branch in load_stages()[stage].github.branches
    assert (ended.code, ended.told) == ((0, {"stage": stage}) if believed else (64, {}))


@pytest.mark.parametrize(
    ("ref", "stage", "said"),
    [
        ("refs/heads/main", "prd", "no 'prd' in stages.toml; there are: dev, staging, prod"),
        ("refs/heads/main", "", "no '' in stages.toml"),
        ("refs/heads/main", "--help", "no '--help' in stages.toml"),
        ("refs/heads/main", "$(touch pwned)", "no '$(touch pwned)' in stages.toml"),
        ("refs/heads/main", "prod\nstage=dev", r"no 'prod\nstage=dev' in stages.toml"),
        ("refs/tags/main", "prod", "prod is deployed from main; this is 'refs/tags/main'"),
        ("main", "prod", "prod is deployed from main; this is 'main'"),
        ("", "staging", "staging is deployed from develop or main; this is ''"),
    ],
)
def test_what_no_stage_believes_goes_nowhere(files: Path, ref: str, stage: str, said: str) -> None:
    ended = where(files, ref, stage)
    assert (ended.code, ended.told) == (64, {})
    assert said in ended.failed
    assert not (files / "pwned").exists()


@pytest.fixture
def fourth(files: Path) -> Path:
    """One more entry, in one file."""
    path = files / "cdk/stages.toml"
    text = path.read_text("utf-8")
    entry = text[text.index("[stages.staging]") :].split("\n[")[0]
    for old, new in {"stages.staging": "stages.lab", "10.1.0.0": "10.9.0.0"}.items():
        entry = entry.replace(old, new)
    path.write_text(f"{text}\n{entry}\n", "utf-8")
    return files


def test_workflows_know_a_fourth_stage_by_its_entry(fourth: Path) -> None:
    assert where(fourth, "refs/heads/main", "lab").told == {"stage": "lab"}
    assert believed(fourth, "lab").told["branches"] == "main develop"


def test_a_stage_is_looked_up_with_nothing_installed(files: Path) -> None:
    """`-S`: without what is installed beside Python."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "cdk.branches", "versions", "--stage=dev"],
        cwd=files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "main develop\n", "")


def test_a_stage_that_is_not_there_has_no_versions(files: Path) -> None:
    ended = believed(files, "prd")
    assert (ended.code, ended.told) == (64, {})


@pytest.mark.parametrize(("typed", "code"), [("destroy dev", 0), ("dev", 1), ("", 1)])
def test_a_stage_is_destroyed_only_by_its_name(tmp_path: Path, typed: str, code: int) -> None:
    ended = run(script("destroy", "confirm", 0), tmp_path, STAGE="dev", TYPED=typed)
    assert ended.code == code
