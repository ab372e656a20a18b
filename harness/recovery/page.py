"""The report's page."""

from collections.abc import Mapping
from typing import Final

from harness.promptsets.rows import Row
from harness.recovery import page_measures as measures
from harness.recovery.findings import p_value
from harness.recovery.observations import Generated
from harness.recovery.page_measures import FLOOR, pairings
from harness.recovery.plan import CANDIDATE, REFERENCE
from harness.recovery.plots import kl_by_token, still_identical
from harness.recovery.results import Recovery
from harness.report.charts import Estimate, forest
from harness.report.page import Figure, Page, Quote, Section, Table, unknown
from harness.report.wording import DASH, clipped, count, moment, number, percent

_FLIPS_SHOWN: Final = 10
_LONGEST: Final = 600


def page(found: Recovery, rows: Mapping[str, Row], answers: "Answers") -> Page:
    plan = found.plan
    return Page(
        title=f"{plan.candidate.model} against {plan.reference.model}",
        subtitle=f"Quantization recovery, {plan.promptset.name} version {plan.promptset.version}, "
        f"{moment(plan.created)}",
        verdict=found.verdict,
        findings=found.findings,
        series=(plan.candidate.model, FLOOR),
        figures=_figures(found),
        facts=_facts(found),
        sections=(
            _quality(found, rows, answers),
            _fidelity(found),
            _divergence(found),
            measures.speed(found),
            measures.memory(found),
            measures.arms(found),
        ),
    )


Answers = Mapping[tuple[str, str], Generated]
"""By arm and prompt_id."""


def _figures(found: Recovery) -> tuple[Figure, ...]:
    shown = [pairing for _, pairing in pairings(found)]
    return (
        Figure(
            label="Quality recovery",
            values=tuple(
                DASH
                if one.quality is None or one.quality.recovery is None
                else percent(one.quality.recovery.value)
                for one in shown
            ),
            note="pass rate over the reference's",
        ),
        Figure(
            label="KL divergence",
            values=tuple(
                DASH if one.fidelity is None else number(one.fidelity.kl.value) for one in shown
            ),
            note="nats a token, at least",
        ),
        Figure(
            label="Top-1 agreement",
            values=tuple(
                DASH if one.fidelity is None else percent(one.fidelity.top1.value) for one in shown
            ),
            note="of the reference's own tokens",
        ),
        Figure(
            label="Identical answers",
            values=tuple(
                DASH
                if one.divergence is None
                else percent(one.divergence.identical / one.divergence.answers)
                for one in shown
            ),
            note="to the last token",
        ),
        Figure(
            label="Latency ratio",
            values=tuple(
                DASH
                if one.speed is None or one.speed.latency is None
                else number(one.speed.latency.value)
                for one in shown
            ),
            note="below 1 is faster",
        ),
    )


def _facts(found: Recovery) -> tuple[tuple[str, str], ...]:
    plan = found.plan
    return (
        ("Run", plan.run_id),
        ("Reference", f"{plan.reference.model} at {plan.reference.url}"),
        ("Candidate", f"{plan.candidate.model} at {plan.candidate.url}"),
        ("Promptset", f"{plan.promptset.name} v{plan.promptset.version}"),
        ("Observed", f"{count(found.recorded)} of {count(found.planned)} planned observations"),
        ("At once", f"{plan.concurrency} requests"),
        ("Harness", plan.harness_version),
    )


def _quality(found: Recovery, rows: Mapping[str, Row], answers: Answers) -> Section:
    told = [(name, one.quality) for name, one in pairings(found) if one.quality is not None]
    own = found.candidate.quality
    flipped = () if own is None else (*own.lost, *own.gained)[:_FLIPS_SHOWN]
    return Section(
        heading="Quality",
        prose=(
            (
                "Greedy answers to the same rows, graded by the rows' checks. A row is lost that "
                "the reference passes and the candidate fails."
            ),
        ),
        chart=forest(
            "pass rate less the reference's",
            [
                Estimate(
                    label=name,
                    value=one.difference.value,
                    low=one.difference.low,
                    high=one.difference.high,
                )
                for name, one in told
            ],
        ),
        table=Table(
            columns=("", "passed", "recovery", "95 % interval", "lost", "gained", "McNemar p"),
            rows=tuple(
                (
                    name,
                    f"{count(one.other.count)} of {count(one.rows)}",
                    unknown("the reference passes nothing")
                    if one.recovery is None
                    else percent(one.recovery.value),
                    unknown("the reference passes nothing")
                    if one.recovery is None
                    else f"{percent(one.recovery.low)} to {percent(one.recovery.high)}",
                    count(len(one.lost)),
                    count(len(one.gained)),
                    p_value(one.p_value).removeprefix("= "),
                )
                for name, one in told
            ),
        ),
        quotes=tuple(_flip(row, rows, answers) for row in flipped),
    )


def _flip(row: str, rows: Mapping[str, Row], answers: Answers) -> Quote:
    question = rows[row].question if row in rows else ""
    said = ((arm, answers.get((arm, row))) for arm in (REFERENCE, CANDIDATE))
    return Quote(
        label=row,
        parts=(
            ("question", clipped(question, _LONGEST)),
            *(
                (arm, DASH if one is None else clipped(one.output, _LONGEST) or one.error)
                for arm, one in said
            ),
        ),
    )


def _fidelity(found: Recovery) -> Section:
    told = [(name, one.fidelity) for name, one in pairings(found) if one.fidelity is not None]
    return Section(
        heading="Fidelity",
        prose=(
            (
                "The reference's own answers as both see them, token by token: how far apart the "
                "distributions of the next token are, and whether both find the same token most "
                f"probable. Of each distribution the {found.plan.top} most probable tokens are "
                "known, the rest as one sum: the divergence is at least what is said here."
            ),
        ),
        chart=kl_by_token({name: one.tokens_kl for name, one in told}),
        table=Table(
            columns=("", "tokens", "KL, nats a token", "95 % interval", "same top-1", "interval"),
            rows=tuple(
                (
                    name,
                    count(one.positions),
                    number(one.kl.value),
                    f"{number(one.kl.low)} to {number(one.kl.high)}",
                    percent(one.top1.value),
                    f"{percent(one.top1.low)} to {percent(one.top1.high)}",
                )
                for name, one in told
            ),
        ),
    )


def _divergence(found: Recovery) -> Section:
    told = [(name, one.divergence) for name, one in pairings(found) if one.divergence is not None]
    return Section(
        heading="First divergence",
        prose=(
            (
                "How many tokens of a greedy answer are the reference's before the first that is "
                "not. Answers that are the same to their end count as long as they are "
                "(Kaplan-Meier)."
            ),
        ),
        chart=still_identical({name: one.survival for name, one in told}),
        table=Table(
            columns=("", "answers", "identical", "median token of the others"),
            rows=tuple(
                (
                    name,
                    count(one.answers),
                    count(one.identical),
                    count(one.at[len(one.at) // 2]) if one.at else unknown("none parted"),
                )
                for name, one in told
            ),
        ),
    )
