"""Does the judge say what it should of answers whose worth is known?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Final

import msgspec

from harness.judge.agreement import Confusion, Kappa, kappa
from harness.judge.judging import rate_finding, worst_first
from harness.judge.preferences import failures_finding
from harness.judge.samples import Sample
from harness.judge.scoring import DIMENSIONS, Failed, Outcome, Scored
from harness.statistics.interval import Interval
from harness.statistics.means import mean
from harness.statistics.proportions import wilson
from harness.summary import Rate
from harness.verdict import Finding, Verdict, overall

LEAST_IN_BAND: Final = 0.8
"""Of the answers, for each dimension."""
LEAST_KAPPA: Final = 0.6
"""From here on agreement is called substantial (Landis and Koch, Biometrics 33, 1977)."""


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """How one score compares with the band that it was expected in."""

    in_band: Rate
    bias: Interval | None
    """Mean of score minus the band's middle: above 0 the judge scores too high."""
    error: float
    """Mean absolute distance from the band's middle."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, what was expected of it and what was said."""

    sample: Sample
    outcome: Outcome


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    promptset: str
    version: int
    profile: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    samples: int
    failures: dict[str, int]
    dimensions: dict[str, Dimension]
    confusion: Confusion
    agreement: Kappa | None
    known_bad_passed: Rate
    judged: tuple[Judged, ...]


def calibration(
    samples: Sequence[Sample],
    outcomes: Mapping[str, Outcome],
    *,
    promptset: str,
    version: int,
    profile: str,
) -> Calibration:
    judged = tuple(Judged(sample=one, outcome=outcomes[one.sample_id]) for one in samples)
    scored = [(one.sample, one.outcome) for one in judged if isinstance(one.outcome, Scored)]
    failures = Counter(one.outcome.code for one in judged if isinstance(one.outcome, Failed))
    dimensions = {name: _dimension(name, scored) for name in DIMENSIONS}
    confusion = _confusion(scored)
    agreement = kappa(confusion)
    known_bad = [outcome.passed for sample, outcome in scored if sample.known_bad]
    passed = wilson(sum(known_bad), len(known_bad))
    findings = worst_first(
        (
            failures_finding(failures.total(), len(samples), "answers"),
            *_in_band(dimensions),
            _agreement(agreement),
            _known_bad(passed),
        )
    )
    return Calibration(
        promptset=promptset,
        version=version,
        profile=profile,
        verdict=overall(findings),
        findings=findings,
        samples=len(samples),
        failures=dict(failures),
        dimensions=dimensions,
        confusion=confusion,
        agreement=agreement,
        known_bad_passed=passed,
        judged=judged,
    )


def _dimension(name: str, scored: Sequence[tuple[Sample, Scored]]) -> Dimension:
    expected = [
        (float(getattr(outcome, name)), *sample.bands[name])
        for sample, outcome in scored
        if name in sample.bands
    ]
    off = [score - (low + high) / 2 for score, low, high in expected]
    return Dimension(
        in_band=wilson(sum(low <= score <= high for score, low, high in expected), len(expected)),
        bias=mean(off),
        error=fmean(map(abs, off)) if off else 0.0,
    )


def _confusion(scored: Sequence[tuple[Sample, Scored]]) -> Confusion:
    counts = Counter((outcome.passed, sample.passes) for sample, outcome in scored)
    return Confusion(
        passed_rightly=counts[True, True],
        passed_wrongly=counts[True, False],
        failed_wrongly=counts[False, True],
        failed_rightly=counts[False, False],
    )


def _in_band(dimensions: Mapping[str, Dimension]) -> list[Finding]:
    return [
        rate_finding(f"{name} in band", dimension.in_band, LEAST_IN_BAND)
        for name, dimension in dimensions.items()
        if dimension.in_band.of
    ]


def _agreement(found: Kappa | None) -> Finding:
    name = "agreement on pass and fail (kappa)"
    if found is None:
        return Finding(
            name=name,
            verdict=Verdict.INCONCLUSIVE,
            reason="judge and expectation are all of one kind: agreement can't be told from chance",
            limit=LEAST_KAPPA,
        )
    if found.low >= LEAST_KAPPA:
        verdict = Verdict.PASS
    else:
        verdict = Verdict.FAIL if found.high < LEAST_KAPPA else Verdict.INCONCLUSIVE
    return Finding(
        name=name,
        verdict=verdict,
        reason=f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}); "
        f"at least {LEAST_KAPPA:.2f} is asked",
        measured=found.value,
        limit=LEAST_KAPPA,
    )


def _known_bad(passed: Rate) -> Finding:
    verdict = Verdict.FAIL if passed.count else Verdict.PASS
    reason = f"{passed.count} of {passed.of} passed; none may"
    if not passed.of:
        verdict, reason = Verdict.INCONCLUSIVE, "none was judged"
    return Finding(
        name="known-bad answers passed",
        verdict=verdict,
        reason=reason,
        measured=passed.count,
        limit=0,
    )
