"""A/B: two variants of a team.

Every interval here may be watched: it holds at all looks together, so stopping a run as soon as it
decides is allowed. It speaks of prompts like those of the promptset, so a prompt is one value, the
mean of its answers, however often it is asked. Two arms that pin a variant each are
paired; answers of one team, split by the gateway, are two samples. A request that was given up
tells nobody who was to answer it, so intervals reach as far as if all such had been either's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Final

import msgspec

from harness.compare.samples import Samples, samples_of
from harness.compare.sides import Run
from harness.plan import PromptsetRef, Slo
from harness.records import Record
from harness.shares import percent
from harness.statistics.counts import split_p
from harness.statistics.interval import Interval
from harness.statistics.proportions import wilson
from harness.statistics.sequences import ConfidenceSequence, difference, median
from harness.summary import Rate
from harness.totals import meets
from harness.verdict import Finding, Verdict, overall, worst_first

FILE: Final = "ab.json"
MISMATCH: Final = 0.001
"""Below this p-value the split is not the declared one; a common bar for that test."""
_HALF_LEVEL: Final = 0.975
"""Of each sample, for 95 % of their difference."""
_NS_PER_MS: Final = 1_000_000

Outcome = Callable[[Record], "float | None"]


class VariantTold(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    requests: int
    weight: float | None
    """Its declared share of the requests; None where nobody declared one."""
    share: Rate
    mean_tokens: float | None


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A share or a median of both, over prompts; candidate minus reference, 95 % at every look."""

    name: str
    unit: str
    higher_is_better: bool
    reference: float
    candidate: float
    difference: Interval


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
    metrics = tuple(_metrics(run, samples))
    p = split_p(samples.counts, split) if split and not samples.paired else None
    quality = next((metric for metric in metrics if metric.name == "pass rate"), None)
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


def _metrics(run: Run, samples: Samples) -> Iterable[Metric]:
    slo = run.plan.slo
    shares: list[tuple[str, bool, Outcome]] = [
        ("pass rate", True, run.grade),
        ("error rate", False, lambda record: not record.ok),
    ]
    if slo != Slo():
        shares.append(("within objectives", True, lambda record: record.ok and meets(slo, record)))
    for name, higher_is_better, outcome in shares:
        metric = (_paired if samples.paired else _unpaired)(samples, outcome)
        if metric:
            old, new, between = metric
            yield Metric(
                name=name,
                unit="",
                higher_is_better=higher_is_better,
                reference=old,
                candidate=new,
                difference=between,
            )
    if latency := _median_latency(samples):
        yield latency


def _paired(samples: Samples, outcome: Outcome) -> tuple[float, float, Interval] | None:
    both = [
        (one, old, new)
        for one, other in zip(samples.reference, samples.candidate, strict=True)
        if (old := outcome(one)) is not None and (new := outcome(other)) is not None
    ]
    olds = _by_prompt(samples, ((record, old) for record, old, _ in both))
    news = _by_prompt(samples, ((record, new) for record, _, new in both))
    if not olds:
        return None
    sequence = ConfidenceSequence.of(new - old for old, new in zip(olds, news, strict=True))
    return fmean(olds), fmean(news), sequence.interval()


def _unpaired(samples: Samples, outcome: Outcome) -> tuple[float, float, Interval] | None:
    sides = samples.reference, samples.candidate
    old, new = (_share(samples, side, outcome) for side in sides)
    if old is None or new is None:
        return None
    between = difference(old, new)
    if samples.unattributed:
        old_with, new_with = (
            _share(samples, side + samples.unattributed, outcome) or one
            for side, one in zip(sides, (old, new), strict=True)
        )
        possible = between, difference(old_with, new), difference(old, new_with)
        low, high = min(one.low for one in possible), max(one.high for one in possible)
        between = msgspec.structs.replace(between, low=low, high=high)
    return old.value, new.value, between


def _share(samples: Samples, side: Iterable[Record], outcome: Outcome) -> Interval | None:
    values = _by_prompt(samples, _known(side, outcome))
    if not values:
        return None
    return ConfidenceSequence.of(values, low=0.0, high=1.0, level=_HALF_LEVEL).interval()


def _median_latency(samples: Samples) -> Metric | None:
    old, new = (
        median(_by_prompt(samples, _known(side, _latency_ms)), _HALF_LEVEL)
        for side in (samples.reference, samples.candidate)
    )
    if old is None or new is None:
        return None
    return Metric(
        name="median latency",
        unit="ms",
        higher_is_better=False,
        reference=old.value,
        candidate=new.value,
        difference=difference(old, new),
    )


def _latency_ms(record: Record) -> float | None:
    return record.latency_ns / _NS_PER_MS if record.ok else None


def _known(side: Iterable[Record], outcome: Outcome) -> Iterable[tuple[Record, float]]:
    for record in side:
        if (value := outcome(record)) is not None:
            yield record, value


def _by_prompt(samples: Samples, values: Iterable[tuple[Record, float]]) -> list[float]:
    """The mean of each prompt's values: its repeats say nothing of other prompts."""
    found: dict[str, list[float]] = {prompt: [] for prompt in samples.prompts}
    for record, value in values:
        if record.prompt_id in found:
            found[record.prompt_id].append(value)
    return [fmean(of) for of in found.values() if of]


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
