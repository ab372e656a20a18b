"""`python -m cdk.diff BASE HEAD`: what changes from one synth to another, as Markdown.

BASE and HEAD are folders that synth wrote (cdk.out). No credentials: templates are compared with
each other, not with what is deployed. Whether a change replaces a resource is what AWS's own schema
says of the properties that changed.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, Final

from cfnlint.schema.manager import (  # type: ignore[import-untyped]
    PROVIDER_SCHEMA_MANAGER,
)

_SUFFIX: Final = ".template.json"
_REGION: Final = "us-west-2"
_MOST_CHARACTERS: Final = 55_000
"""Of rows: a comment of GitHub's takes 65,536 in all, headings and marks included."""
_USAGE: Final = "usage: python -m cdk.diff BASE HEAD"
_PROPERTIES: Final = "/properties/"

Resource = Mapping[str, Any]
Resources = Mapping[tuple[str, str], Resource]
"""By stack and logical id."""


class Action(Enum):
    REMOVED = "removed"
    REPLACED = "**replaced**"
    MAYBE_REPLACED = "perhaps replaced"
    CHANGED = "changed"
    ADDED = "added"


@dataclass(frozen=True, kw_only=True)
class Change:
    stack: str
    name: str
    kind: str
    action: Action
    what: tuple[str, ...] = ()
    """Properties and attributes that changed."""


def main(arguments: Sequence[str]) -> int:
    folders = [Path(argument) for argument in arguments]
    if len(folders) != 2 or not all(folder.is_dir() for folder in folders):  # noqa: PLR2004
        print(_USAGE, file=sys.stderr)  # noqa: T201
        return 64
    base, head = map(read, folders)
    print(markdown(compare(base, head)))  # noqa: T201
    return 0


def read(folder: Path) -> Resources:
    return {
        (file.name.removesuffix(_SUFFIX), name): resource
        for file in sorted(folder.rglob(f"*{_SUFFIX}"))
        for name, resource in json.loads(file.read_text("utf-8")).get("Resources", {}).items()
    }


def compare(base: Resources, head: Resources) -> tuple[Change, ...]:
    return tuple(_changes(base, head))


def _changes(base: Resources, head: Resources) -> Iterator[Change]:
    for stack, name in sorted({**base, **head}):
        before, after = base.get((stack, name)), head.get((stack, name))
        if before is None and after is not None:
            yield Change(stack=stack, name=name, kind=after["Type"], action=Action.ADDED)
        elif after is None and before is not None:
            yield Change(stack=stack, name=name, kind=before["Type"], action=Action.REMOVED)
        elif before and after and (what := _differing(before, after)):
            action = _effect(before["Type"], what)
            yield Change(stack=stack, name=name, kind=after["Type"], action=action, what=what)


def _differing(before: Resource, after: Resource) -> tuple[str, ...]:
    old, new = _flat(before), _flat(after)
    return tuple(key for key in sorted({**old, **new}) if old.get(key) != new.get(key))


def _flat(resource: Resource) -> dict[str, Any]:
    """Its attributes but Metadata, which deploys nothing, and each of its properties."""
    rest = {key: resource[key] for key in resource if key not in {"Metadata", "Properties"}}
    return {**rest, **{f"{_PROPERTIES}{k}": v for k, v in resource.get("Properties", {}).items()}}


def _effect(kind: str, what: Sequence[str]) -> Action:
    if "Type" in what:
        return Action.REPLACED
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, kind).schema
    for key, action in (
        ("createOnlyProperties", Action.REPLACED),
        ("conditionalCreateOnlyProperties", Action.MAYBE_REPLACED),
    ):
        # Where only a part of a property may not change, `/properties/A/B`, A may have changed
        # elsewhere: then it is perhaps.
        fixed = set(schema.get(key, ()))
        if fixed & set(what):
            return action
        if any(one.startswith(f"{changed}/") for one in fixed for changed in what):
            return Action.MAYBE_REPLACED
    return Action.CHANGED


def markdown(changes: Sequence[Change]) -> str:
    """Worst first, by stack: what is lost must not hide behind what is new."""
    if not changes:
        return "No resource changes in any stage."
    order = list(Action)
    worst_first = sorted(changes, key=lambda one: order.index(one.action))
    shown = list(_fitting(worst_first))
    rows = sorted(shown, key=lambda one: (one.stack, order.index(one.action), one.name))
    counts = ", ".join(
        f"{number} {action.value}"
        for action in order
        if (number := sum(one.action is action for one in changes))
    )
    lines = [f"{len(changes)} resources: {counts}."]
    for stack, of_stack in groupby(rows, key=lambda one: one.stack):
        lines += ["", f"### {stack}", "", "| | resource | type | what |", "|---|---|---|---|"]
        lines += map(_row, of_stack)
    if left := len(changes) - len(shown):
        lines += ["", f"… and {left} more."]
    return "\n".join(lines)


def _fitting(changes: Sequence[Change]) -> Iterator[Change]:
    """As many from the first on as a comment has room for."""
    lengths = accumulate(len(_row(change)) + 1 for change in changes)
    for change, length in zip(changes, lengths, strict=True):
        if length > _MOST_CHARACTERS:
            return
        yield change


def _row(change: Change) -> str:
    what = ", ".join(one.removeprefix(_PROPERTIES) for one in change.what)
    return f"| {change.action.value} | `{change.name}` | {change.kind} | {what} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
