"""From what a run adds up to, its figures and its verdict."""

from harness import figures, findings
from harness.aggregate import Aggregate
from harness.plan import Plan
from harness.summary import Summary
from harness.verdict import overall, worst_first


def summarise(plan: Plan, aggregate: Aggregate) -> Summary:
    """What a run came to, and the verdict: the worst of what was found."""
    found = worst_first(findings.findings(plan, aggregate))
    return Summary(
        plan=plan,
        verdict=overall(found),
        findings=found,
        planned=aggregate.expected,
        recorded=aggregate.ledger.count,
        arms=tuple(
            figures.arm_summary(name, totals, plan.slo) for name, totals in aggregate.arms.items()
        ),
        client=figures.client_summary(plan, aggregate),
        timeline=figures.timeline(aggregate),
    )
