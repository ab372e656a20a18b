"""What `make` asks a stage before it deploys or destroys: recipes as shipped, with stand-ins."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Final

import pytest

from cdk.deployed import NotTold
from cdk.deployment import ROOT, Deployment
from cdk.operations import await_weights, needed
from cdk.weights import chat_template_file

# Keys are there if they are lines of the file `keys`; the first deploy of the fleet adds `brought`.
AWS: Final = """#!/bin/sh
echo "$*" >> "$PLACE/asked"
refuse() { echo "An error occurred ($1) when calling the operation: $2" >&2; exit 254; }
case "$*" in
*/paused*)
  case "$IS_PAUSED" in
  true | false) echo "$IS_PAUSED" ;;
  *) refuse "$IS_PAUSED" "no" ;;
  esac ;;
*/weights-bucket*) [ -e "$PLACE/keys" ] && echo weights || refuse ParameterNotFound "" ;;
*list-objects-v2*)
  while [ "$1" != --prefix ]; do shift; done
  grep -m1 -Fx -- "$2" "$PLACE/keys" || echo None ;;
esac
"""
CDK: Final = """#!/bin/sh
echo "$*" >> "$PLACE/done"
case "$2" in *-fleet) cat "$PLACE/brought" >> "$PLACE/keys" ;; esac
"""
COPIED, PUBLISHED = needed(Deployment.read("staging"))


@dataclass(frozen=True)
class Ended:
    code: int
    said: str
    cdk: Sequence[str]
    """What CDK was told to do."""
    asked: str
    context: str
    """What CDK was told of the stage, the last time."""


Make = Callable[..., Ended]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    for program, text in (("aws", AWS), ("cdk", CDK)):
        (tmp_path / program).write_text(text)
        (tmp_path / program).chmod(0o755)
    (tmp_path / "brought").write_text("\n".join(COPIED) + "\n")

    def run(*words: str, paused: str = "false") -> Ended:
        settings = (f"CDK={tmp_path / 'cdk'}", "TOOLS=", f"PYTHON={sys.executable}")
        done = subprocess.run(
            ["make", *words, *settings],
            cwd=ROOT,
            env={
                "PATH": f"{tmp_path}:/usr/bin:/bin",
                "PLACE": str(tmp_path),
                "IS_PAUSED": paused,
                "VERSION": "v1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        told = {name: tmp_path / name for name in ("done", "asked")}
        found = {name: path.read_text() if path.exists() else "" for name, path in told.items()}
        return Ended(
            done.returncode,
            done.stderr,
            [" ".join(one.split()[:2]) for one in found["done"].splitlines()],
            found["asked"],
            (found["done"].splitlines() or [""])[-1],
        )

    return run


def fill(place: Path, *keys: str) -> None:
    (place / "keys").write_text("".join(f"{key}\n" for key in keys))


@pytest.mark.parametrize(
    ("paused", "done"),
    [
        ("false", ["destroy --all"]),
        ("ParameterNotFound", ["destroy --all"]),
        ("true", ["deploy -c", "destroy --all"]),
    ],
)
def test_a_destroy_has_a_paused_cluster_work_first(
    make: Make, paused: str, done: Sequence[str]
) -> None:
    ended = make("destroy", "STAGE=dev", "FORCE=1", paused=paused)
    assert (ended.code, ended.cdk) == (0, done)
    assert "--name /llmo/dev/paused" in ended.asked
    assert "--region us-west-2" in ended.asked


def test_a_stage_that_is_not_destroyed_after_all_still_counts_as_paused(
    make: Make, tmp_path: Path
) -> None:
    """CDK asks, or refuses, only after the cluster works again."""
    make("destroy", "STAGE=dev", paused="true")
    first, _ = (tmp_path / "done").read_text().splitlines()
    assert "-c paused=ending --exclusively llmo-dev-cluster" in first


@pytest.mark.parametrize("refused", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_destroy_that_may_not_ask_destroys_nothing(make: Make, refused: str) -> None:
    ended = make("destroy", "STAGE=dev", "FORCE=1", paused=refused)
    assert (ended.code, ended.cdk) == (2, [])
    assert ended.said.startswith("error: aws ssm get-parameter: An error occurred (" + refused)
    assert len(ended.said.splitlines()) == 2  # and make's own


def test_without_awss_command_line_nothing_is_destroyed(make: Make, tmp_path: Path) -> None:
    (tmp_path / "aws").chmod(0o644)
    ended = make("destroy", "STAGE=dev", "FORCE=1")
    assert (ended.code, ended.cdk) == (2, [])
    assert "error: can't run AWS's command line" in ended.said


@pytest.mark.parametrize("command", ["deploy", "resume"])
def test_endpoints_whose_weights_are_there_are_deployed_at_once(
    make: Make, tmp_path: Path, command: str
) -> None:
    fill(tmp_path, *COPIED, *PUBLISHED)
    ended = make(command, "STAGE=staging")
    assert (ended.code, ended.cdk) == (0, ["deploy --all"])


@pytest.mark.parametrize("lacking", range(len(COPIED)))
def test_the_fleet_brings_weights_before_endpoints_want_them(
    make: Make, tmp_path: Path, lacking: int
) -> None:
    """A model, a revision or a chat template that is new."""
    fill(tmp_path, *(key for key in COPIED if key != COPIED[lacking]), *PUBLISHED)
    ended = make("deploy", "STAGE=staging")
    assert (ended.code, ended.cdk) == (0, ["deploy llmo-staging-fleet", "deploy --all"])
    assert COPIED[lacking] in ended.said


def test_the_very_first_deploy_begins_with_the_fleet_and_ends_at_what_nobody_published(
    make: Make, tmp_path: Path
) -> None:
    ended = make("deploy", "STAGE=staging")
    assert (ended.code, ended.cdk) == (2, ["deploy llmo-staging-fleet"])
    assert f"error: no s3://weights/{PUBLISHED[0]}: publish it first" in ended.said
    fill(tmp_path, *COPIED, *PUBLISHED)
    assert make("deploy", "STAGE=staging").cdk[-1] == "deploy --all"


def test_what_nobody_published_does_not_keep_the_fleet_from_bringing_weights(
    make: Make, tmp_path: Path
) -> None:
    fill(tmp_path, *COPIED[1:])
    ended = make("deploy", "STAGE=staging")
    assert (ended.code, ended.cdk) == (2, ["deploy llmo-staging-fleet"])
    assert f"error: no s3://weights/{PUBLISHED[0]}: publish it first" in ended.said


@pytest.mark.parametrize("words", [("STAGE=dev",), ("STAGE=staging", "SAGEMAKER=off")])
def test_a_stage_without_endpoints_asks_for_no_weights(make: Make, words: Sequence[str]) -> None:
    ended = make("deploy", *words)
    assert (ended.code, ended.cdk) == (0, ["deploy --all"])
    assert [one for one in ended.asked.splitlines() if "paused" not in one] == []


@pytest.mark.parametrize(
    ("words", "paused", "stays"),
    [
        (("deploy",), "true", "true"),
        (("deploy",), "false", "false"),
        (("deploy",), "ParameterNotFound", "false"),
        (("deploy", "PAUSED=false"), "true", "false"),
        (("deploy", "PAUSED=true"), "false", "true"),
        (("resume",), "true", "false"),
        (("diff",), "true", "true"),
    ],
)
def test_a_pause_ends_only_when_told(
    make: Make, words: Sequence[str], paused: str, stays: str
) -> None:
    """Else any push would buy GPUs."""
    ended = make(*words, "STAGE=dev", paused=paused)
    assert ended.code == 0
    assert f"-c paused={stays}" in ended.context


def test_a_paused_stage_waits_for_no_weights(make: Make) -> None:
    """Its Jobs are suspended: they would never come."""
    ended = make("deploy", "STAGE=staging", paused="true")
    assert (ended.code, ended.cdk) == (0, ["deploy --all"])


def test_a_deploy_that_may_not_ask_deploys_nothing(make: Make) -> None:
    ended = make("deploy", "STAGE=dev", paused="AccessDeniedException")
    assert (ended.code, ended.cdk) == (2, [])
    assert "error: aws ssm get-parameter: An error occurred (AccessDenied" in ended.said


def test_an_unknown_stage_is_one_line_and_nothing_is_done(make: Make) -> None:
    for command in ("deploy", "destroy"):
        ended = make(command, "STAGE=nowhere")
        assert (ended.code, ended.cdk) == (2, [])
        assert ended.said.startswith("error: ")
        assert "nowhere" in ended.said.splitlines()[0]


def test_endpoints_need_models_their_chat_template_and_adapters() -> None:
    assert {key.rsplit("/", 1)[1] for key in COPIED} == {"_complete", chat_template_file()}
    assert PUBLISHED == ["adapters/lora-v1@1.tar.gz", "adapters/lora-v2@1.tar.gz"]


def test_waiting_ends_when_all_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    looks = chain([["s3://b/x"], ["s3://b/x"]], repeat([]))
    await_weights(lambda: next(looks), tries=9, pause=lambda _: None)
    assert capsys.readouterr().err.splitlines() == [
        "0 min: waiting for the Job that copies s3://b/x",
        "0 min: waiting for the Job that copies s3://b/x",
    ]


def test_waiting_ends_when_it_takes_too_long() -> None:
    paused: list[float] = []
    with pytest.raises(NotTold, match=r"^no s3://b/x after 60 min; endpoints are as they were"):
        await_weights(lambda: ["s3://b/x"], tries=120, pause=paused.append)
    assert sum(paused) == 3600
