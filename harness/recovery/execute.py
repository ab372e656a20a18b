"""A plan carried out: asked, observed, derived, shown."""

from collections.abc import Callable
from pathlib import Path

from harness.recovery.asking import Asker
from harness.recovery.folder import RecoveryFolder
from harness.recovery.measuring import Measuring, planned
from harness.recovery.observations import Generated
from harness.recovery.plan import ARMS
from harness.recovery.results import Recovery
from harness.recovery.sides import authorization, client
from harness.stage import Stage

Told = Callable[[int, int], None]
"""How many of how many."""


async def observe(folder: RecoveryFolder, stage: Stage | None, told: Told) -> None:
    """Asks what isn't observed yet. What was observed stays, whatever ends this.

    Raises StoreError where it can't be written, or another process does.
    """
    plan, rows = folder.plan, folder.rows
    of = len(planned(plan, rows))
    with folder.log() as log:
        seen = {one.key: one for one in folder.observations()}

        def advance() -> None:
            told(len(seen), of)

        advance()
        sides = (plan.reference, plan.candidate)
        async with client(*sides, timeout_s=plan.timeout_s, at_once=plan.concurrency) as http:
            askers = {
                arm: Asker(
                    http=http,
                    arm=arm,
                    side=plan.side(arm),
                    top=plan.top,
                    headers=authorization(plan.side(arm), stage),
                )
                for arm in ARMS
            }
            await Measuring(
                plan=plan, rows=rows, askers=askers, append=log.append, advance=advance, seen=seen
            ).run()


def reported(folder: RecoveryFolder, found: Recovery) -> Path:
    """The page that shows it, written anew."""
    from harness.recovery.page import page  # noqa: PLC0415  # plots take long to import
    from harness.report.page import FILE, write_page  # noqa: PLC0415

    answers = {
        (one.arm, one.prompt_id): one for one in folder.observations() if isinstance(one, Generated)
    }
    rows = {row.prompt_id: row for row in folder.rows}
    return write_page(page(found, rows, answers), folder.path / FILE)
