"""A run against a policy: every limit that it sets is one finding."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from harness.compare.comparing import Asked, compare
from harness.compare.policy import Policy
from harness.compare.rules import RULES, Evidence
from harness.compare.sides import Run, Side, sides
from harness.verdict import Finding, Verdict, overall, worst_first

FILE: Final = "gate.json"


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    verdict: Verdict
    findings: tuple[Finding, ...]
    """Worst first; named as the policy's keys are."""
    policy: Policy
    policy_name: str
    run: str
    arm: str
    baseline: str | None


def gate(policy: Policy, name: str, side: Side, baseline: Side | None = None) -> GateReport:
    margin = policy.quality.margin
    asked = Asked(margin=margin if margin is not None else 0.0, timed=policy.asks_times)
    comparison = compare(baseline, side, asked) if baseline else None
    evidence = Evidence(side=side, comparison=comparison, policy=policy)
    findings = worst_first([*_validity(evidence), *_failing(evidence), *_answers(evidence)])
    return GateReport(
        verdict=overall(findings),
        findings=findings,
        policy=policy,
        policy_name=name,
        run=str(side.run.path),
        arm=side.arm.name,
        baseline=f"{baseline.run.path} {baseline.arm.name}" if baseline else None,
    )


def _validity(evidence: Evidence) -> Iterator[Finding]:
    """What would make every other answer worthless."""
    comparison = evidence.comparison
    if comparison is None:
        yield evidence.side.run.finding(timed=evidence.policy.asks_times)
        return
    yield from (
        finding
        for finding in comparison.findings
        if finding.name.startswith("run ") or finding.verdict is Verdict.INVALID
    )


def _failing(evidence: Evidence) -> Iterator[Finding]:
    """FAIL where requests failed beyond what the run itself allowed, or all of them did.

    Lengths and costs are of those that were answered: a policy that asks for nothing else would
    pass a model that is down.
    """
    rate, most = evidence.side.summary.error_rate, evidence.side.run.plan.expect.max_error_rate
    beyond = evidence.policy.errors.max_rate is None and rate.low > most
    if rate.of and (beyond or rate.count == rate.of):
        yield Finding(
            name="answers",
            verdict=Verdict.FAIL,
            reason=f"{rate.count:,} of {rate.of:,} requests failed; what is told of the others is "
            "not told of the model",
            measured=rate.value,
            limit=most,
        )


def _answers(evidence: Evidence) -> Iterator[Finding]:
    for key, limit in evidence.policy.limits():
        yield msgspec.structs.replace(RULES[key](limit, evidence), name=key, limit=limit)


def sides_of(run: Path, baseline: Path | None) -> tuple[Side, Side | None]:
    """Candidate and baseline: of a run of two arms the first is the baseline.

    Raises WrongInput where they were asked different promptsets.
    """
    if baseline is not None:
        reference, candidate = sides(baseline, run)
        return candidate, reference
    read = Run.read(run)
    labelled = [Side(run=read, arm=arm, label=arm.name) for arm in read.plan.arms]
    return labelled[-1], labelled[0] if len(labelled) > 1 else None
