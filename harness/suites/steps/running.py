"""A run that a step makes, in the visit's folder."""

import asyncio
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from harness.plan import Arm, Expectations, Generation, Load, Plan, Validity
from harness.promptsets.store import Promptset
from harness.report import write
from harness.runs.execute import execute
from harness.runs.folder import RunFolder
from harness.suites.visit import Visit
from harness.summary import Summary
from harness.verdict import Finding
from harness.version import VERSION

UNTIMED: Final = Validity(loop_lag_p99_ms=None, dispatch_lag_p99_ms=1_000)
"""Where it is not told how long answers took: a busy machine may time them badly."""


def plan_for(
    visit: Visit,
    promptset: Promptset,
    load: Load,
    *,
    models: tuple[str, ...],
    expect: Expectations,
    validity: Validity,
    generation: Generation | None = None,
) -> Plan:
    """`models`: a team or team/variant each, as one arm each; two are asked in pairs."""
    now = datetime.now(UTC)
    return Plan(
        run_id=f"{now:%Y%m%d-%H%M%S}-{promptset.name}-{secrets.token_hex(2)}",
        kind="suite",
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        harness_version=VERSION,
        promptset=promptset.ref(),
        arms=tuple(
            Arm(name=model, url=visit.stage.gateway_url, api="predict", model=model)
            for model in models
        ),
        load=load,
        generation=generation or Generation(),
        expect=expect,
        validity=validity,
    )


async def carried_out(visit: Visit, plan: Plan, promptset: Promptset) -> tuple[RunFolder, Summary]:
    """In a thread, because a run has an event loop of its own. Raises HarnessError."""
    rows = promptset.select(plan.promptset)
    folder = RunFolder.create(visit.folder / plan.run_id, plan, rows)
    keys = {arm.name: visit.stage.key_for(arm.model) for arm in plan.arms}
    summary = await asyncio.to_thread(execute, folder, keys)
    await asyncio.to_thread(write, folder.path)
    return folder, summary


def findings_of(name: str, findings: Iterable[Finding]) -> list[Finding]:
    """A part's findings as those of the step."""
    return [msgspec.structs.replace(one, name=f"{name}: {one.name}") for one in findings]
