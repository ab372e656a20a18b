"""May anything be concluded from a run?"""

from harness.aggregate import Aggregate
from harness.findings import findings
from harness.plan import Plan
from harness.summary import Summary
from harness.verdict import Finding, Verdict


def finding(
    plan: Plan,
    aggregate: Aggregate,
    stored: Summary | None,
    *,
    watched: bool = False,
    timed: bool = False,
) -> Finding:
    """INVALID where the run is, or is not over; one that FAILs may be judged and compared.

    `aggregate`: of its records, anew, for its summary may be older. `stored`: that summary, which
    also holds what records don't show, e.g. a shard that began late. `timed`: its times are
    judged, so its client may not have been late. `watched`: it may be going on, and requests that
    are in flight are not recorded yet.
    """
    going_on = watched and stored is None
    anew = tuple(findings(plan, aggregate, timed=timed))
    names = {one.name for one in anew}
    kept = [one for one in stored.findings if one.name not in names] if stored else []
    problems = [
        f"{one.name}: {one.reason}"
        for one in (*anew, *kept)
        if one.verdict is Verdict.INVALID and not (going_on and one.name == "ledger")
    ]
    if stored is None and not watched:
        problems.append("it is not over: resume it with `run --resume`")
    return Finding(
        name=f"run {plan.run_id}",
        verdict=Verdict.INVALID if problems else Verdict.PASS,
        reason="; ".join(problems)
        or f"{aggregate.ledger.count:,} requests"
        + (" so far" if going_on else ", all accounted for"),
    )
