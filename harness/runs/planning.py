"""A plan from its command's defaults, a plan file, and what was said on the command line."""

import secrets
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from harness.errors import PlanError
from harness.load.apis import check_arms
from harness.plan import Plan, PromptsetRef, plan_of
from harness.runs.access import Access
from harness.version import VERSION

Document = dict[str, Any]

SECTIONS: Final = frozenset(
    {"seed", "load", "generation", "slo", "expect", "validity", "promptset", "arm"}
)
"""What a plan file may hold."""
_EITHER: Final = ("count", "duration_s")


def layered(*documents: Mapping[str, Any]) -> Document:
    """Later ones win, field by field. A count takes a duration's place, and the other way round."""
    whole: Document = {}
    for document in documents:
        _lay(whole, document)
    return whole


def read_plan_file(path: Path) -> Document:
    """Raises PlanError for one that can't be read, and for sections that no plan has."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PlanError(f"{path} can't be read: {error.strerror or error}") from None
    except ValueError as error:
        raise PlanError(f"{path}: {error}") from None
    if unknown := sorted(document.keys() - SECTIONS):
        raise PlanError(
            f"{path}: {unknown[0]!r} is no section; there are {', '.join(sorted(SECTIONS))}"
        )
    return document


def section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Raises PlanError where it is no table."""
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise PlanError(f"plan: {name} must be a table")
    return found


def warmup(document: Mapping[str, Any]) -> int:
    """Raises PlanError where it is no number."""
    found = section(document, "load").get("warmup", 0)
    if not isinstance(found, int):
        raise PlanError(f"plan: load.warmup is a number of requests, not {found!r}")
    return found


def made(kind: str, document: Mapping[str, Any], ref: PromptsetRef, to: Access, model: str) -> Plan:
    """The plan of a new run. Raises PlanError, naming the field."""
    now = datetime.now(UTC)
    arm = {
        **section(document, "arm"),
        "name": model,
        "url": to.url,
        "api": to.api,
        "model": model,
        "stream": to.stream,
    }
    plan = plan_of(
        {
            **{name: part for name, part in document.items() if name not in {"arm", "promptset"}},
            "run_id": f"{now:%Y%m%d-%H%M%S}-{ref.name}-{secrets.token_hex(2)}",
            "kind": kind,
            "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "harness_version": VERSION,
            "promptset": msgspec.to_builtins(ref),
            "arms": [arm],
        }
    )
    check_arms(plan.arms)
    if plan.expect.min_goodput is not None and plan.slo == type(plan.slo)():
        raise PlanError("plan: a minimum of goodput needs objectives: give at least one SLO")
    if plan.slo.ttft_ms is not None and not to.stream:
        raise PlanError("plan: the time to the first token is only seen in a streamed answer")
    return plan


def counted(document: Document, requests: int) -> Document:
    """The document with so many requests, and warm-up on top, where it says neither a count nor a
    duration.
    """
    load = section(document, "load")
    if any(load.get(name) is not None for name in _EITHER):
        return document
    return layered(document, {"load": {"count": requests + warmup(document)}})


def _lay(whole: Document, document: Mapping[str, Any]) -> None:
    for one, other in (_EITHER, _EITHER[::-1]):
        if one in document and other not in document:
            whole.pop(other, None)
    for name, value in document.items():
        below = whole.get(name)
        if isinstance(value, dict) and "type" not in value:
            below = whole[name] = dict(below) if isinstance(below, dict) else {}
            _lay(below, value)
        else:
            whole[name] = value
