"""A step that runs a promptset, and takes over what the run found."""

from harness.plan import Closed, Expectations, Load
from harness.promptsets import store
from harness.suites.step import Step
from harness.suites.steps.running import UNTIMED, carried_out, findings_of, plan_for
from harness.suites.visit import Visit
from harness.verdict import Finding


class Quality(Step, frozen=True, kw_only=True, tag="quality"):
    """Every row of the visit's promptset once; the run stays in the visit's folder."""

    team: str
    min_pass_rate: float
    max_error_rate: float = 0.1
    """No less can be shown by the 50 or 60 rows that such a set has."""
    concurrency: int = 2

    async def run(self, visit: Visit) -> list[Finding]:
        promptset = store.load(visit.promptset)
        plan = plan_for(
            visit,
            promptset,
            Load(arrivals=Closed(concurrency=self.concurrency), count=len(promptset.rows)),
            models=(self.team,),
            expect=Expectations(
                min_pass_rate=self.min_pass_rate, max_error_rate=self.max_error_rate
            ),
            validity=UNTIMED,
        )
        _, summary = await carried_out(visit, plan, promptset)
        return findings_of(self.name, summary.findings)
