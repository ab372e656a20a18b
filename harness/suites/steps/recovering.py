"""A step that measures how much of the reference is left in a quantized model."""

from harness.recovery.beginning import Wanted, begun
from harness.recovery.execute import observe, reported
from harness.suites.step import Step
from harness.suites.steps.running import findings_of
from harness.suites.visit import Visit
from harness.verdict import Finding


class Recovery(Step, frozen=True, kw_only=True, tag="recovery"):
    """As `python -m harness recovery` does; its run stays in the visit's folder."""

    reference: str
    candidate: str
    timings: int = 66
    """Fewer than 60 would time both and say nothing of it."""

    async def run(self, visit: Visit) -> list[Finding]:
        wanted = Wanted(
            reference=self.reference,
            candidate=self.candidate,
            promptset=visit.promptset,
            timings=self.timings,
            output=visit.folder,
        )
        folder = await begun(wanted, visit.stage)
        await observe(folder, visit.stage, lambda _done, _of: None)
        found = folder.write_result()
        reported(folder, found)
        return findings_of(self.name, found.findings)
