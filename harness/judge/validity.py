"""Is the run fit to be judged? Half of its answers, or a wrong half, say nothing of a model."""

from harness.runs.folder import RunFolder
from harness.summarise import summarise
from harness.verdict import Finding, Verdict


def findings(*runs: RunFolder) -> tuple[Finding, ...]:
    """One a run: INVALID where it is not over, or is INVALID itself. Raises StoreError."""
    return tuple(map(_finding, {run.path.resolve(): run for run in runs}.values()))


def _finding(run: RunFolder) -> Finding:
    summary = summarise(run.plan, run.aggregate())
    problems = [
        f"{one.name}: {one.reason}" for one in summary.findings if one.verdict is Verdict.INVALID
    ]
    if run.summary is None:
        problems.append("it is not over: resume it with `run --resume`")
    return Finding(
        name=f"run {run.plan.run_id}",
        verdict=Verdict.INVALID if problems else Verdict.PASS,
        reason="; ".join(problems) or f"{summary.recorded:,} requests, all accounted for",
    )
