"""What two variants did, as shares and medians over prompts, with intervals that may be watched."""

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Final

import msgspec

from harness.compare.samples import Samples
from harness.compare.sides import Run
from harness.plan import Slo
from harness.records import Record
from harness.statistics.interval import Interval
from harness.statistics.sequences import ConfidenceSequence, difference, median
from harness.totals import meets

QUALITY: Final = "pass rate"
_HALF_LEVEL: Final = 0.975
"""Of each sample, for 95 % of their difference."""
_NS_PER_MS: Final = 1_000_000

Outcome = Callable[[Record], "float | None"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A share or a median of both, over prompts; candidate minus reference, 95 % at every look."""

    name: str
    unit: str
    higher_is_better: bool
    reference: float
    candidate: float
    difference: Interval


def metrics_of(run: Run, samples: Samples) -> Iterable[Metric]:
    slo = run.plan.slo
    shares: list[tuple[str, bool, Outcome]] = [
        (QUALITY, True, run.grade),
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
