"""Are runs fit to be judged? Half of the answers, or a wrong half, say nothing of a model."""

from harness.runs import validity
from harness.runs.folder import RunFolder
from harness.verdict import Finding


def findings(*runs: RunFolder) -> tuple[Finding, ...]:
    """One a run. Raises StoreError."""
    return tuple(
        validity.finding(run.plan, run.aggregate(), run.summary)
        for run in {run.path.resolve(): run for run in runs}.values()
    )
