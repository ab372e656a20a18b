"""GitHub refuses a run in which a called workflow asks for a right that its caller lacks."""

from collections.abc import Iterator, Mapping

import pytest
import yaml

from tests.support.workflows import FILES, ROOT, Workflow, jobs, read

RANKS = ("none", "read", "write")


def lacking(caller: Workflow, job: str, called: Workflow) -> Iterator[str]:
    """What jobs of `called` ask for beyond what `job` of `caller` has."""
    given = rights(caller, job)
    for name in jobs(called):
        for scope, right in rights(called, name).items():
            if RANKS.index(right) > RANKS.index(given.get(scope, "none")):
                yield f"{name}: {scope}: {right}"


def rights(workflow: Workflow, job: str) -> Mapping[str, str]:
    """A job's own permissions replace the workflow's, and what isn't named is none."""
    named: Mapping[str, str] = jobs(workflow)[job].get("permissions", workflow["permissions"])
    return named


CALLS = [
    (path.name, job, one["uses"])
    for path in FILES
    for job, one in jobs(read(path)).items()
    if one.get("uses", "").startswith("./")
]


def test_workflows_call_each_other() -> None:
    assert ("deploy.yaml", "check", "./.github/workflows/check.yaml") in CALLS
    assert ("ci.yaml", "check", "./.github/workflows/check.yaml") in CALLS


@pytest.mark.parametrize(("file", "job", "called"), CALLS)
def test_a_caller_has_every_right_that_the_called_jobs_ask_for(
    file: str, job: str, called: str
) -> None:
    caller = read(ROOT / ".github/workflows" / file)
    assert list(lacking(caller, job, read(ROOT / called))) == []


@pytest.mark.parametrize(
    ("given", "asked", "told"),
    [
        ("contents: read", "pull-requests: write", ["two: pull-requests: write"]),
        ("contents: read", "contents: write", ["two: contents: write"]),
        ("contents: write", "contents: read", []),
        ("id-token: write", "contents: read", ["two: contents: read"]),
    ],
)
def test_a_right_that_is_lacking_is_found(given: str, asked: str, told: list[str]) -> None:
    caller = yaml.safe_load(f"""
permissions: {{}}
jobs:
  one:
    permissions:
      {given}
""")
    called = yaml.safe_load(f"""
permissions:
  {asked}
jobs:
  two: {{}}
""")
    assert list(lacking(caller, "one", called)) == told
