"""A step that compares two variants of a team on the same items."""

from harness.compare.sides import Run
from harness.compare.variants import ab
from harness.plan import Closed, Expectations, Load
from harness.promptsets import store
from harness.suites.step import Step
from harness.suites.steps.running import UNTIMED, carried_out, findings_of, plan_for
from harness.suites.visit import Visit
from harness.verdict import Finding


class Compared(Step, frozen=True, kw_only=True, tag="compared"):
    """The second must not be worse than the first by more than the margin.

    Two that fail alike are not worse than each other, so each must be well by itself, too.
    """

    team: str
    variants: tuple[str, str]
    margin: float
    min_pass_rate: float = 0.5
    concurrency: int = 4

    async def run(self, visit: Visit) -> list[Finding]:
        promptset = store.load(visit.promptset)
        models = tuple(f"{self.team}/{variant}" for variant in self.variants)
        plan = plan_for(
            visit,
            promptset,
            Load(
                arrivals=Closed(concurrency=self.concurrency),
                count=len(models) * len(promptset.rows),
            ),
            models=models,
            expect=Expectations(min_pass_rate=self.min_pass_rate, max_error_rate=0.1),
            validity=UNTIMED,
        )
        folder, summary = await carried_out(visit, plan, promptset)
        compared = ab(Run.read(folder.path), models, {}, self.margin)
        return findings_of(self.name, (*summary.findings, *compared.findings))
