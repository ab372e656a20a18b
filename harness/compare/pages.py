"""An A/B report and a gate's answer as pages."""

from collections.abc import Callable

from harness.compare.gate import GateReport
from harness.compare.variant_metrics import Metric
from harness.compare.variants import AbReport
from harness.report.charts import Estimate, forest
from harness.report.page import Cell, Figure, Page, Section, Table, unknown
from harness.report.wording import count, interval, number, percent

_POINTS = 100
_EXPLAINED = (
    "The intervals are 95 % confidence sequences: they hold at every look together, so the run may "
    "be stopped as soon as they decide."
)


def ab_page(found: AbReport) -> Page:
    names = (found.variants[0].name, found.variants[1].name)
    shares = [metric for metric in found.metrics if not metric.unit]
    return Page(
        title=f"{names[1]} against {names[0]}",
        subtitle=f"{found.promptset.name} v{found.promptset.version}, "
        + ("paired on the same items" if found.paired else "split by the gateway"),
        verdict=found.verdict,
        findings=found.findings,
        series=names,
        figures=(
            Figure(label="Requests", values=tuple(count(one.requests) for one in found.variants)),
            *(
                Figure(
                    label=one.name.capitalize(),
                    values=(percent(one.reference), percent(one.candidate)),
                )
                for one in shares
            ),
        ),
        facts=(
            ("better", found.winner or "not decided"),
            ("run", found.run),
            ("promptset sha256", found.promptset.sha256),
        ),
        sections=(
            Section(
                heading="Differences",
                prose=(f"{names[1]} minus {names[0]}. {_EXPLAINED}",),
                chart=forest("difference", [_estimate(one) for one in shares], unit="points"),
                table=Table(
                    columns=("", *names, "difference", "95 % at every look"),
                    rows=tuple(_row(metric) for metric in found.metrics),
                ),
            ),
            _split(found),
        ),
    )


def gate_page(found: GateReport) -> Page:
    asked = dict(found.policy.limits())
    return Page(
        title=f"Gate: {found.policy_name}",
        subtitle=f"{found.arm} of {found.run}",
        verdict=found.verdict,
        findings=found.findings,
        facts=(
            ("run", found.run),
            ("baseline", found.baseline or "none"),
            *((key, f"{limit:g}") for key, limit in asked.items()),
        ),
    )


def _split(found: AbReport) -> Section:
    told = "" if found.sample_ratio_p is None else f" p = {number(found.sample_ratio_p)}."
    return Section(
        heading="Who answered",
        prose=(
            f"Requests that name no variant: {count(found.unattributed)}.{told}",
            *(f"{name} answered {count(requests)}." for name, requests in found.others.items()),
        ),
        table=Table(
            columns=("variant", "requests", "share", "declared", "tokens an answer"),
            rows=tuple(
                (
                    one.name,
                    count(one.requests),
                    percent(one.share.value),
                    _or_unknown(one.weight, percent, "no split was declared"),
                    _or_unknown(one.mean_tokens, number, "not counted"),
                )
                for one in found.variants
            ),
        ),
    )


def _row(metric: Metric) -> tuple[str, ...]:
    between = metric.difference
    if metric.unit:
        return (
            f"{metric.name}, {metric.unit}",
            number(metric.reference),
            number(metric.candidate),
            number(between.value),
            interval(between.low, between.high),
        )
    scaled = between.times(_POINTS)
    return (
        metric.name,
        percent(metric.reference),
        percent(metric.candidate),
        f"{number(scaled.value)} points",
        interval(scaled.low, scaled.high),
    )


def _estimate(metric: Metric) -> Estimate:
    scaled = metric.difference.times(_POINTS)
    return Estimate(label=metric.name, value=scaled.value, low=scaled.low, high=scaled.high)


def _or_unknown(value: float | None, said: Callable[[float], str], reason: str) -> str | Cell:
    return unknown(reason) if value is None else said(value)
