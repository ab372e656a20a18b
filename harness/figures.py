"""An aggregate as figures for people: shares and percentiles with intervals, in milliseconds."""

from typing import Final

from msgspec.structs import replace

from harness.aggregate import Aggregate
from harness.histogram import Histogram
from harness.plan import Closed, Plan, Slo
from harness.statistics.proportions import wilson
from harness.statistics.quantiles import LEVELS, percentile
from harness.summary import TOGETHER_MOST, ArmSummary, ClientSummary, Distribution, Point, Rate
from harness.totals import ArmTotals, Checked

_US_PER_MS: Final = 1_000
_NS_PER_S: Final = 1_000_000_000


def distribution(histogram: Histogram) -> Distribution | None:
    """Of microseconds. None of nothing."""
    total = histogram.total
    if not total:
        return None
    found = (percentile(histogram, level) for level in LEVELS)
    return Distribution(
        count=total,
        mean=histogram.mean() / _US_PER_MS,
        minimum=histogram.at_rank(1) / _US_PER_MS,
        maximum=histogram.at_rank(total) / _US_PER_MS,
        percentiles=tuple(one for one in found if one is not None),
    )


def arm_summary(name: str, totals: ArmTotals, slo: Slo) -> ArmSummary:
    seconds = _seconds(totals)
    told = totals.counted > 0 and totals.counted == totals.answered
    together = _read_together(totals) if told and _piece_is_token(totals) else None
    return ArmSummary(
        arm=name,
        requests=totals.requests,
        duration_s=seconds,
        error_rate=error_rate(totals),
        errors=totals.errors,
        finish_reasons=totals.finish_reasons,
        variants=totals.variants,
        targets=totals.targets,
        requests_per_s=_per(totals.answered, seconds),
        output_tokens_per_s=_per(totals.completion_tokens, seconds) if told else None,
        total_tokens_per_s=(
            _per(totals.prompt_tokens + totals.completion_tokens, seconds) if told else None
        ),
        prompt_tokens=totals.prompt_tokens if told else None,
        completion_tokens=totals.completion_tokens if told else None,
        cached_share=cached_share(totals),
        latency=distribution(totals.latency),
        service=distribution(totals.service),
        ttft=distribution(totals.ttft),
        tpot=distribution(totals.tpot),
        inter_token=distribution(totals.gaps)
        if together is not None and together <= TOGETHER_MOST
        else None,
        read_together=together,
        goodput=goodput(totals, slo),
        goodput_per_s=_per(totals.good, seconds) if slo != Slo() else None,
        pass_rate=pass_rate(totals),
        by_category={
            category: passed(checked, len(totals.rows.get(category, ())))
            for category, checked in sorted(totals.by_category.items())
        },
    )


def client_summary(plan: Plan, aggregate: Aggregate) -> ClientSummary:
    open_loop = not isinstance(plan.load.arrivals, Closed)
    return ClientSummary(
        dispatch_lag=distribution(aggregate.dispatch_lag) if open_loop else None,
        loop_lag=distribution(aggregate.loop_lag),
        cpu_share=cpu_share(aggregate),
        segments=aggregate.segments,
    )


def timeline(aggregate: Aggregate) -> tuple[Point, ...]:
    """Every second from the first to the last: one in which nothing ended is there, too."""
    happened = aggregate.timeline
    if not happened:
        return ()
    return tuple(
        Point(
            second=second,
            answered=(one := happened[second]).answered,
            failed=one.failed,
            mean_latency_ms=one.latency_us / one.answered / _US_PER_MS if one.answered else None,
        )
        if second in happened
        else Point(second=second, answered=0, failed=0, mean_latency_ms=None)
        for second in range(min(happened), max(happened) + 1)
    )


def error_rate(totals: ArmTotals) -> Rate:
    return wilson(totals.failed, totals.requests)


def pass_rate(totals: ArmTotals) -> Rate | None:
    rows = sum(map(len, totals.rows.values()))
    return passed(totals.quality, rows) if totals.quality.checked else None


def passed(checked: Checked, rows: int) -> Rate:
    """With the interval that so many different rows give.

    A row that is asked again is likely to be answered the same: that is no further evidence. Taken
    as if each row's answers were all alike, which is the most that repeating can mislead.
    """
    whole = wilson(checked.passed, checked.checked)
    if not 0 < rows < checked.checked:
        return whole
    share = checked.passed * rows
    return replace(
        whole,
        low=wilson(share // checked.checked, rows).low,
        high=wilson(-(-share // checked.checked), rows).high,
    )


def goodput(totals: ArmTotals, slo: Slo) -> Rate | None:
    return None if slo == Slo() else wilson(totals.good, totals.requests)


def cached_share(totals: ArmTotals) -> float | None:
    """None where the server didn't tell."""
    return totals.cached_tokens / totals.cache_counted if totals.cache_counted else None


def cpu_share(aggregate: Aggregate) -> float | None:
    return aggregate.cpu_ns / aggregate.wall_ns if aggregate.wall_ns else None


def _piece_is_token(totals: ArmTotals) -> bool:
    """As many pieces as tokens, but for the one that ends an answer and has no text."""
    return totals.pieces > 0 and abs(totals.completion_tokens - totals.pieces) <= totals.ttft.total


def _read_together(totals: ArmTotals) -> float | None:
    """Bucket 0 holds nothing but gaps of 0."""
    total = totals.gaps.total
    return totals.gaps.counts.get(0, 0) / total if total else None


def _seconds(totals: ArmTotals) -> float:
    if totals.first_ns is None or totals.last_ns is None:
        return 0.0
    return (totals.last_ns - totals.first_ns) / _NS_PER_S


def _per(count: int, seconds: float) -> float:
    return count / seconds if seconds else 0.0
