"""The page of a run."""

from collections.abc import Sequence
from typing import Final

from harness.aggregate import Aggregate
from harness.report import run_facts, run_latency, run_quality, run_tables
from harness.report.page import Figure, Page, Section
from harness.report.run_quality import Failure
from harness.report.wording import DASH, level, milliseconds, moment, number, percent, plural
from harness.summary import ArmSummary, Distribution, Rate, Summary

_HEADLINE: Final = (0.5, 0.99)


def page_of(summary: Summary, aggregate: Aggregate, failures: Sequence[Failure] = ()) -> Page:
    """`aggregate` has the histograms that are drawn, `failures` a few examples that are quoted."""
    plan = summary.plan
    return Page(
        title=f"{plan.promptset.name}: {plan.kind} {plan.run_id}",
        subtitle=_subtitle(summary),
        verdict=summary.verdict,
        findings=summary.findings,
        figures=_figures(summary.arms),
        series=tuple(arm.arm for arm in summary.arms),
        sections=tuple(_sections(summary, aggregate, failures)),
        facts=tuple(run_facts.facts(summary)),
    )


def _sections(summary: Summary, aggregate: Aggregate, failures: Sequence[Failure]) -> list[Section]:
    found = (
        run_quality.checks(summary),
        run_quality.errors(summary),
        run_quality.examples(failures),
        *run_latency.sections(summary, aggregate),
        run_latency.over_time(summary),
        run_tables.throughput(summary),
        run_tables.answered_by(summary),
        run_latency.client(summary, aggregate),
    )
    return [section for section in found if section is not None]


def _subtitle(summary: Summary) -> str:
    asked = " and ".join(
        arm.model if arm.name == arm.model else f"{arm.name} ({arm.model})"
        for arm in summary.plan.arms
    )
    return f"{asked}, {run_facts.arrivals(summary.plan.load)}, {moment(summary.plan.created)}"


def _figures(arms: Sequence[ArmSummary]) -> tuple[Figure, ...]:
    """The few that everybody looks for first; those of which nothing is known are left out."""
    half, tail = _HEADLINE
    found = (
        Figure(
            label="Passed their checks",
            values=tuple(_share(arm.pass_rate) for arm in arms),
        ),
        Figure(
            label="Failed requests",
            values=tuple(_share(arm.error_rate) for arm in arms),
            note=f"of {plural(sum(arm.requests for arm in arms), 'request')}",
        ),
        Figure(label="Answered a second", values=tuple(number(arm.requests_per_s) for arm in arms)),
        Figure(label=f"Latency {level(half)}", values=_at(half, [arm.latency for arm in arms])),
        Figure(label=f"Latency {level(tail)}", values=_at(tail, [arm.latency for arm in arms])),
        Figure(label=f"First token {level(half)}", values=_at(half, [arm.ttft for arm in arms])),
        Figure(
            label="Output tokens a second",
            values=tuple(
                DASH if arm.output_tokens_per_s is None else number(arm.output_tokens_per_s)
                for arm in arms
            ),
        ),
        Figure(
            label="Within the objectives",
            values=tuple(_share(arm.goodput) for arm in arms),
        ),
    )
    return tuple(figure for figure in found if set(figure.values) != {DASH})


def _share(rate: Rate | None) -> str:
    return percent(rate.value) if rate is not None and rate.of else DASH


def _at(wanted: float, distributions: Sequence[Distribution | None]) -> tuple[str, ...]:
    return tuple(
        next(
            (milliseconds(at.value) for at in one.percentiles if at.level == wanted)
            if one is not None
            else iter(()),
            DASH,
        )
        for one in distributions
    )
