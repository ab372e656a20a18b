"""A run that a step makes, in the visit's folder."""

import asyncio
import secrets
from datetime import UTC, datetime

import msgspec

from harness.plan import Arm, Expectations, Generation, Load, Plan, Validity
from harness.promptsets.store import Promptset
from harness.runs.execute import execute, reported
from harness.runs.folder import RunFolder
from harness.suites.visit import Visit
from harness.summary import Summary
from harness.verdict import Finding
from harness.version import VERSION


def plan_for(  # noqa: PLR0913
    visit: Visit,
    promptset: Promptset,
    load: Load,
    *,
    team: str,
    expect: Expectations,
    validity: Validity,
    generation: Generation | None = None,
) -> Plan:
    now = datetime.now(UTC)
    return Plan(
        run_id=f"{now:%Y%m%d-%H%M%S}-{promptset.name}-{secrets.token_hex(2)}",
        kind="suite",
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        harness_version=VERSION,
        promptset=promptset.ref(),
        arms=(Arm(name=team, url=visit.stage.gateway_url, api="predict", model=team),),
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
    await asyncio.to_thread(reported, folder)
    return folder, summary


def findings_of(name: str, summary: Summary) -> list[Finding]:
    return [
        msgspec.structs.replace(finding, name=f"{name}: {finding.name}")
        for finding in summary.findings
    ]
