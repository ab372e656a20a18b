"""From what was asked for to a plan that can be carried out; nothing is written before."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from harness.errors import PlanError, WrongInput
from harness.load.items import Items
from harness.plan import Plan, PromptsetRef
from harness.promptsets.rows import Row
from harness.promptsets.store import Promptset, load
from harness.runs.access import Asked, access
from harness.runs.planning import Document, counted, layered, made, section, warmup
from harness.runs.preflight import check, served
from harness.stage import Stage

_SELECTING: Final = frozenset({"name", "split", "categories", "buckets"})


class Prepared(NamedTuple):
    plan: Plan
    rows: tuple[Row, ...]
    keys: dict[str, str]


def prepared(
    kind: str, document: Document, values: Mapping[str, Any], stack: Stage | None
) -> Prepared:
    """Raises WrongInput for what makes no sense, else a HarnessError for what can't be had now."""
    promptset = load(_promptset(document))
    ref = _ref(promptset, document)
    rows = promptset.select(ref)
    document = _counted(document, len(rows), values)
    to = access(_asked(document, values), stack)
    Items(made(kind, document, ref, to, to.model or "any"), rows)  # to be told without a server
    known = served(to.url, to.key)
    model = known.chosen(to.model)
    plan = made(kind, document, ref, to, model)
    check(plan, rows, promptset.manifest, known.models[model])
    return Prepared(plan, rows, {arm.name: to.key for arm in plan.arms})


def _promptset(document: Document) -> str:
    asked = section(document, "promptset")
    if unknown := sorted(asked.keys() - _SELECTING):
        raise PlanError(
            f"plan: promptset.{unknown[0]} is unknown; there are {', '.join(sorted(_SELECTING))}"
        )
    name = asked.get("name")
    if not isinstance(name, str):
        raise WrongInput(
            "--promptset is missing: which prompts are to be asked? `promptset show` lists them"
        )
    return name


def _ref(promptset: Promptset, document: Document) -> PromptsetRef:
    asked = section(document, "promptset")
    return promptset.ref(
        str(asked.get("split", "")), _names(asked, "categories"), _names(asked, "buckets")
    )


def _names(asked: Mapping[str, Any], field: str) -> tuple[str, ...]:
    found = asked.get(field, ())
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) for name in found):
        raise PlanError(f"plan: promptset.{field} is a list of names, not {found!r}")
    return tuple(found)


def _counted(document: Document, rows: int, values: Mapping[str, Any]) -> Document:
    """A count that was said is of requests to measure: warm-up comes on top."""
    if values["count"] is not None:
        if values["repeat"] > 1:
            raise WrongInput("--count and --repeat: give one of them")
        return layered(document, {"load": {"count": values["count"] + warmup(document)}})
    return counted(document, rows * values["repeat"])


def _asked(document: Document, values: Mapping[str, Any]) -> Asked:
    arm = section(document, "arm")
    said = {name: arm.get(name) for name in ("model", "url", "api", "stream")}
    try:
        return msgspec.convert({**said, "team": values["team"], "engine": values["engine"]}, Asked)
    except msgspec.ValidationError as error:
        raise PlanError(f"plan: arm: {error}") from None
