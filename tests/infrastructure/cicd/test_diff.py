"""What a pull request says that it changes: what is lost is never taken for a mere change."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cdk.diff import Action, Change, compare, markdown, read
from tests.support.synth import ROOT

TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "keys"}}
KEY = ("llmo-dev-data", "Keys")


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    (change,) = compare({KEY: before}, {KEY: after})
    return change


def properties(kind: str, **values: object) -> dict[str, Any]:
    return {"Type": kind, "Properties": values}


def test_the_same_templates_differ_in_nothing() -> None:
    assert compare({KEY: TABLE}, {KEY: TABLE}) == ()
    assert markdown(()) == "No resource changes in any stage."


def test_what_is_new_and_what_is_gone_is_told() -> None:
    (added,) = compare({}, {KEY: TABLE})
    (removed,) = compare({KEY: TABLE}, {})
    assert (added.action, removed.action) == (Action.ADDED, Action.REMOVED)
    assert added.stack == removed.stack == "llmo-dev-data"


def test_a_renamed_table_is_a_new_table() -> None:
    change = changed(TABLE, properties("AWS::DynamoDB::Table", TableName="others"))
    assert change.action is Action.REPLACED
    assert change.what == ("/properties/TableName",)


def test_another_type_is_another_resource() -> None:
    change = changed(TABLE, properties("AWS::S3::Bucket", TableName="keys"))
    assert change.action is Action.REPLACED


def test_a_changed_setting_is_only_a_change() -> None:
    before = properties("AWS::Lambda::Function", MemorySize=128)
    change = changed(before, properties("AWS::Lambda::Function", MemorySize=256))
    assert change.action is Action.CHANGED


def test_what_only_aws_can_tell_is_told_as_such() -> None:
    before = properties("AWS::DynamoDB::Table", KeySchema=[{"AttributeName": "a"}])
    after = properties("AWS::DynamoDB::Table", KeySchema=[{"AttributeName": "b"}])
    assert changed(before, after).action is Action.MAYBE_REPLACED


def test_a_change_of_deletion_policy_counts_and_metadata_does_not() -> None:
    change = changed(TABLE, {**TABLE, "DeletionPolicy": "Delete"})
    assert change.what == ("DeletionPolicy",)
    assert compare({KEY: TABLE}, {KEY: {**TABLE, "Metadata": {"aws:cdk:path": "x"}}}) == ()


def test_custom_resources_change_without_a_schema() -> None:
    before, after = properties("Custom::Thing", A=1), properties("Custom::Thing", A=2)
    assert changed(before, after).action is Action.CHANGED


def test_the_worst_comes_first() -> None:
    base = {("s", "a"): TABLE, ("s", "b"): TABLE, ("s", "c"): TABLE}
    head = {
        ("s", "b"): properties("AWS::DynamoDB::Table", TableName="new"),
        ("s", "c"): TABLE,
        ("s", "d"): TABLE,
    }
    text = markdown(compare(base, head))
    assert text.startswith("3 resources: 1 removed, 1 **replaced**, 1 added.")
    assert text.index("| removed | `a`") < text.index("replaced** | `b`") < text.index("| added")


def test_a_comment_stays_within_what_github_takes() -> None:
    many = {("llmo-staging-observability", f"Resource{i:08d}"): TABLE for i in range(5_000)}
    text = markdown(compare({}, many))
    assert len(text) < 65_536
    shown = text.count("| added |")
    assert shown > 500
    assert text.endswith(f"… and {5_000 - shown} more.")


def test_what_is_lost_is_told_however_much_is_new() -> None:
    """Long rows in stacks that come first by name leave no room, and yet."""
    many = {("a", f"New{i:08d}{'x' * 200}"): TABLE for i in range(1_000)}
    text = markdown(compare({("z", "Lost"): TABLE}, many))
    assert "| removed | `Lost`" in text
    assert len(text) < 65_536


@pytest.mark.parametrize("arguments", [[], ["nowhere", "nowhere"]], ids=["none", "no folders"])
def test_wrong_arguments_end_with_how_it_is_used(arguments: list[str]) -> None:
    done = _run(*arguments)
    assert done.returncode == 64
    assert done.stderr == "usage: python -m cdk.diff BASE HEAD\n"


def test_two_folders_of_stages_are_compared(tmp_path: Path) -> None:
    for side, name in (("base", "keys"), ("head", "others")):
        folder = tmp_path / side / "dev"
        folder.mkdir(parents=True)
        template = {"Resources": {"Keys": properties("AWS::DynamoDB::Table", TableName=name)}}
        (folder / "llmo-dev-data.template.json").write_text(json.dumps(template))
    assert list(read(tmp_path / "base")) == [KEY]
    done = _run(str(tmp_path / "base"), str(tmp_path / "head"))
    assert done.returncode == 0
    assert "| **replaced** | `Keys` | AWS::DynamoDB::Table | TableName |" in done.stdout


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cdk.diff", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
