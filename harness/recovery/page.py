"""The report's page."""

from collections.abc import Mapping
from typing import Final

from harness.promptsets.rows import Row
from harness.recovery.observations import Generated
from harness.recovery.plan import CANDIDATE, REFERENCE, REPEAT, RecoveryPlan
from harness.recovery.plots import kl_by_token, still_identical
from harness.recovery.results import ArmTold, Pairing, Recovery
from harness.report.charts import Estimate, forest
from harness.report.page import Cell, Figure, Page, Quote, Section, Table, unknown
from harness.report.wording import DASH, clipped, count, milliseconds, number, percent
from harness.statistics.interval import Interval

FLOOR: Final = "reference against itself"
_MIB: Final = 2**20
_FLIPS_SHOWN: Final = 10
_LONGEST: Final = 600
_NOT_TIMED: Final = "too few turns were timed"
_NOT_TOLD: Final = "the engine did not say, or could not be asked"
_MACHINES: Final = (
    "Speed and memory are those of the engines that were asked, on their machines and by the way "
    "that they were asked. Where there is no kernel for 4-bit weights (docs/adr/0005) an engine "
    "unpacks them when it loads them: it answers as the 4-bit model does, and is neither smaller "
    "nor faster. Compare speed and memory on the hardware that will serve."
)


def page(found: Recovery, rows: Mapping[str, Row], answers: "Answers") -> Page:
    plan = found.plan
    return Page(
        title=f"{plan.candidate.model} against {plan.reference.model}",
        subtitle=f"Quantization recovery, {plan.promptset.name} version {plan.promptset.version}, "
        f"{plan.created}",
        verdict=found.verdict,
        findings=found.findings,
        series=(plan.candidate.model, FLOOR),
        figures=_figures(found),
        facts=_facts(found),
        sections=(
            _quality(found, rows, answers),
            _fidelity(found),
            _divergence(found),
            _speed(found),
            _memory(found),
            _arms(found),
        ),
    )


Answers = Mapping[tuple[str, str], Generated]
"""By arm and prompt_id."""


def _pairings(found: Recovery) -> tuple[tuple[str, Pairing], ...]:
    return ((found.plan.candidate.model, found.candidate), (FLOOR, found.floor))


def _figures(found: Recovery) -> tuple[Figure, ...]:
    pairings = [pairing for _, pairing in _pairings(found)]
    return (
        Figure(
            label="Quality recovery",
            values=tuple(
                DASH
                if one.quality is None or one.quality.recovery is None
                else percent(one.quality.recovery.value)
                for one in pairings
            ),
            note="pass rate over the reference's",
        ),
        Figure(
            label="KL divergence",
            values=tuple(
                DASH if one.fidelity is None else number(one.fidelity.kl.value) for one in pairings
            ),
            note="nats a token, at least",
        ),
        Figure(
            label="Top-1 agreement",
            values=tuple(
                DASH if one.fidelity is None else percent(one.fidelity.top1.value)
                for one in pairings
            ),
            note="of the reference's own tokens",
        ),
        Figure(
            label="Identical answers",
            values=tuple(
                DASH
                if one.divergence is None
                else percent(one.divergence.identical / one.divergence.answers)
                for one in pairings
            ),
            note="to the last token",
        ),
        Figure(
            label="Latency ratio",
            values=tuple(
                DASH
                if one.speed is None or one.speed.latency is None
                else number(one.speed.latency.value)
                for one in pairings
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
    told = [(name, one.quality) for name, one in _pairings(found) if one.quality is not None]
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
                    number(one.p_value),
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
    told = [(name, one.fidelity) for name, one in _pairings(found) if one.fidelity is not None]
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
    told = [(name, one.divergence) for name, one in _pairings(found) if one.divergence is not None]
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


def _speed(found: Recovery) -> Section:
    told = [(name, one.speed) for name, one in _pairings(found)]
    return Section(
        heading="Speed",
        prose=(
            (
                "Candidate over reference, asked the same in turns, with answers of "
                f"{found.plan.timed_tokens} tokens whatever the model wants to say: latencies "
                "below 1 and throughput above 1 are better. The first token's time is that of a "
                "whole answer of one token."
            ),
            _MACHINES,
        ),
        table=Table(
            columns=("", "first token", "per token", "latency", "throughput"),
            rows=tuple(
                (
                    name,
                    *(
                        _ratio(None if one is None else interval)
                        for interval in (
                            (None,) * 4
                            if one is None
                            else (one.first_token, one.per_token, one.latency, one.throughput)
                        )
                    ),
                )
                for name, one in told
            ),
        ),
    )


def _ratio(found: Interval | None) -> str | Cell:
    if found is None:
        return unknown(_NOT_TIMED)
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})"


def _memory(found: Recovery) -> Section:
    told = [arm for arm in found.arms if arm.arm != REPEAT]
    return Section(
        heading="Memory",
        prose=(
            (
                "Of the weights on disk, of the KV cache that the engine set aside, and of the "
                "process that answers HTTP."
            ),
        ),
        table=Table(
            columns=("", "weights", "KV cache", "server process"),
            rows=tuple(
                (
                    found.plan.side(arm.arm).model,
                    *map(_mib, (arm.memory.weights, arm.memory.kv_cache, arm.memory.server)),
                )
                for arm in told
            ),
        ),
    )


def _mib(size: int | None) -> str | Cell:
    return unknown(_NOT_TOLD) if size is None else f"{number(size / _MIB)} MiB"


def _arms(found: Recovery) -> Section:
    return Section(
        heading="What was asked",
        prose=("The reference is asked a second time, as the arm `repeat`, to see its noise.",),
        table=Table(
            columns=(
                "",
                "model",
                "requests",
                "failed",
                "answered by",
                "first token",
                "a token",
                "latency",
                "tokens/s",
            ),
            text_columns=(0, 1, 4),
            rows=tuple(_arm(found.plan, arm) for arm in found.arms),
        ),
    )


def _arm(plan: RecoveryPlan, arm: ArmTold) -> tuple[str | Cell, ...]:
    timing = arm.timing
    times = (
        (unknown(_NOT_TIMED),) * 4
        if timing is None
        else (
            milliseconds(timing.first_token_ms),
            milliseconds(timing.per_token_ms),
            milliseconds(timing.latency_ms),
            unknown(_NOT_TIMED) if timing.tokens_per_s is None else number(timing.tokens_per_s),
        )
    )
    return (
        arm.arm,
        plan.side(arm.arm).model,
        count(arm.error_rate.of),
        count(arm.error_rate.count),
        ", ".join(arm.targets) or DASH,
        *times,
    )
