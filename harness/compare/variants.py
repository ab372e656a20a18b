"""A/B: two variants of a team.

Every interval here may be watched: it holds at all looks together, so stopping a run as soon as it
decides is allowed. It speaks of prompts like those of the promptset, so a prompt is one value, the
mean of its answers, however often it is asked. Two arms that pin a variant each are
paired; answers of one team, split by the gateway, are two samples. A request that was given up
tells nobody who was to answer it, so intervals reach as far as if all such had been either's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from harness.compare.samples import Samples, samples_of
from harness.compare.sides import Run
from harness.compare.variant_metrics import QUALITY, Metric, metrics_of
from harness.plan import PromptsetRef
from harness.records import Record
from harness.shares import percent
from harness.statistics.counts import split_p
from harness.statistics.proportions import wilson
from harness.summary import Rate
from harness.verdict import Finding, Verdict, overall, worst_first

FILE: Final = "ab.json"
MISMATCH: Final = 0.001
"""Below this p-value the split is not the declared one; a common bar for that test."""


class VariantTold(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    requests: int
    weight: float | None
    """Its declared share of the requests; None where nobody declared one."""
    share: Rate
    mean_tokens: float | None


class AbReport(msgspec.Struct, frozen=True, kw_only=True):
    verdict: Verdict
    """PASS: the candidate is better, or not worse by the margin. FAIL: it is worse."""
    winner: str
    """The variant whose pass rate is higher, surely; empty while none is."""
    findings: tuple[Finding, ...]
    promptset: PromptsetRef
    run: str
    paired: bool
    variants: tuple[VariantTold, VariantTold]
    """Reference and candidate."""
    unattributed: int
    """Requests that timed out or were refused, so that nobody knows whose they were: every share's
    interval allows for all of them being the one's, or the other's."""
    others: dict[str, int]
    """Requests that other variants answered, e.g. by fallback."""
    sample_ratio_p: float | None
    metrics: tuple[Metric, ...]


def ab(run: Run, names: Sequence[str], split: Mapping[str, float], margin: float) -> AbReport:
    """As `harness.compare.samples` has them. Raises WrongInput where there are no two variants."""
    samples = samples_of(run, names, split)
    metrics = tuple(metrics_of(run, samples))
    p = split_p(samples.counts, split) if split and not samples.paired else None
    quality = next((metric for metric in metrics if metric.name == QUALITY), None)
    findings = [
        run.finding(watched=True),
        _reference(run, samples, quality),
        *_split_findings(samples, split, p),
        _quality(quality, margin, len(samples.unattributed)),
    ]
    found = worst_first(findings)
    verdict = overall(found)
    return AbReport(
        verdict=verdict,
        winner=_winner(quality, samples.names) if verdict is not Verdict.INVALID else "",
        findings=found,
        promptset=run.plan.promptset,
        run=str(run.path),
        paired=samples.paired,
        variants=_told(samples, split),
        unattributed=len(samples.unattributed),
        others=dict(samples.others),
        sample_ratio_p=p,
        metrics=metrics,
    )


def _reference(run: Run, samples: Samples, quality: Metric | None) -> Finding:
    """INVALID where the reference was not well itself: to be as good as that says nothing.

    Failures that no variant is named for may be anybody's, so they count as the reference's too.
    """
    maybe = (*samples.reference, *samples.unattributed)
    failed = sum(not record.ok for record in maybe)
    rate = wilson(failed, len(maybe))
    told = f"{failed:,} of {rate.of:,} requests that were or may have been its own failed"
    problem = ""
    if rate.low > run.plan.expect.max_error_rate:
        problem = told
    elif quality is not None and not quality.reference:
        problem = "it passed no checks"
    return Finding(
        name="reference",
        verdict=Verdict.INVALID if problem else Verdict.PASS,
        reason=f"{problem}: to be as good as that says nothing" if problem else told,
        measured=rate.value,
        limit=run.plan.expect.max_error_rate,
    )


def _split_findings(
    samples: Samples, split: Mapping[str, float], p: float | None
) -> Iterable[Finding]:
    if p is None:
        return
    counts = samples.counts
    told = ", ".join(
        f"{name} {counts.get(name, 0):,} (declared {100 * weight / sum(split.values()):.3g} %)"
        for name, weight in split.items()
    )
    mismatch = p < MISMATCH
    yield Finding(
        name="sample ratio",
        verdict=Verdict.INVALID if mismatch else Verdict.PASS,
        reason=f"{told}: p = {p:.2g}"
        + (
            "; requests were not split as declared, so the samples differ by more than the variant"
            if mismatch
            else ""
        ),
        measured=p,
        limit=MISMATCH,
    )


def _quality(metric: Metric | None, margin: float, unattributed: int) -> Finding:
    if metric is None:
        return Finding(
            name="quality",
            verdict=Verdict.INCONCLUSIVE,
            reason="nothing is known of the answers: no prompt that has checks was answered by "
            "both, as often as it is to be asked",
        )
    between = metric.difference
    if between.high < 0:
        verdict, said = Verdict.FAIL, "the candidate is worse"
    elif between.low > 0:
        verdict, said = Verdict.PASS, "the candidate is better"
    elif between.low >= -margin:
        verdict, said = Verdict.PASS, f"the candidate is not worse by {100 * margin:g} points"
    else:
        verdict, said = (
            Verdict.INCONCLUSIVE,
            "no difference is shown, nor its absence: that takes more prompts",
        )
    either = f"; {unattributed:,} requests that name no variant may have been either's"
    return Finding(
        name="quality",
        verdict=verdict,
        reason=f"pass rates {percent(metric.reference)} and {percent(metric.candidate)}, a "
        f"difference of {100 * between.value:+.3g} ({100 * between.low:+.3g} to "
        f"{100 * between.high:+.3g}) points: {said}{either if unattributed else ''}",
        measured=between.value,
        limit=-margin,
    )


def _winner(metric: Metric | None, names: tuple[str, str]) -> str:
    if metric is None:
        return ""
    between = metric.difference
    return names[1] if between.low > 0 else names[0] if between.high < 0 else ""


def _told(samples: Samples, split: Mapping[str, float]) -> tuple[VariantTold, VariantTold]:
    total = len(samples.reference) + len(samples.candidate)
    whole = sum(split.values())
    old, new = (
        VariantTold(
            name=name,
            requests=len(side),
            weight=split[name] / whole if name in split else None,
            share=wilson(len(side), total),
            mean_tokens=_mean_tokens(side),
        )
        for name, side in zip(samples.names, (samples.reference, samples.candidate), strict=True)
    )
    return old, new


def _mean_tokens(side: Sequence[Record]) -> float | None:
    counts = [record.completion_tokens for record in side if record.ok]
    known = [count for count in counts if count is not None]
    return sum(known) / len(known) if known and len(known) == len(counts) else None
