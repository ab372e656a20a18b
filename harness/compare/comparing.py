"""Two sides -> a comparison."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.compare import quality as qualities
from harness.compare import speed as speeds
from harness.compare.pairing import Pairs, same_questions
from harness.compare.results import Comparison, Quality, SideTold
from harness.compare.sides import Side
from harness.verdict import Finding, Verdict, overall, worst_first


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What makes a comparison PASS."""

    margin: float = 0.02
    """So much lower may the candidate's pass rate be."""
    min_length_ratio: float = 0.9
    """MLPerf's: its answers may have so much fewer tokens."""
    max_slowdown: float | None = None
    """Its median latency over the reference's. None: latency is shown, and not judged."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """USD an hour, by arm or model."""
    timed: bool = False
    """The candidate's times are judged elsewhere."""


def compare(reference: Side, candidate: Side, asked: Asked) -> Comparison:
    pairs = Pairs.of(reference, candidate)
    quality = qualities.quality(pairs.pairs, asked.margin)
    length = speeds.length(pairs.pairs)
    speed = speeds.speed(pairs.pairs, together=speeds.interleaved(reference, candidate))
    findings: list[Finding | None] = [
        *_validity(reference, candidate, asked),
        pairs.finding,
        _reference(reference, quality),
        same_questions(reference, candidate),
        qualities.finding(quality, asked.margin),
        qualities.noise_finding(quality),
        speeds.length_finding(length, asked.min_length_ratio),
        speeds.slowdown(speed, asked.max_slowdown) if asked.max_slowdown else None,
    ]
    found = worst_first([finding for finding in findings if finding])
    return Comparison(
        verdict=overall(found),
        findings=found,
        promptset=reference.run.plan.promptset,
        reference=_told(reference),
        candidate=_told(candidate),
        quality=quality,
        speed=speed,
        length=length,
        costs=(
            speeds.cost(reference, dict(asked.prices)),
            speeds.cost(candidate, dict(asked.prices)),
        ),
    )


def _validity(reference: Side, candidate: Side, asked: Asked) -> Iterator[Finding]:
    slowdown = asked.max_slowdown is not None
    if reference.run is not candidate.run:
        yield reference.run.finding(timed=slowdown)
    yield candidate.run.finding(timed=slowdown or asked.timed)


def _reference(side: Side, quality: Quality | None) -> Finding:
    """INVALID where the reference was not well itself: to be as good as that says nothing."""
    errors, most = side.summary.error_rate, side.run.plan.expect.max_error_rate
    if errors.low > most:
        problem = f"{errors.count:,} of its {errors.of:,} requests failed"
    elif quality is not None and not quality.reference.count:
        problem = f"it passed none of {quality.pairs:,}"
    else:
        problem = ""
    return Finding(
        name="reference",
        verdict=Verdict.INVALID if problem else Verdict.PASS,
        reason=f"{problem}: to be as good as that says nothing"
        if problem
        else f"{errors.count:,} of its {errors.of:,} requests failed",
        measured=errors.value,
        limit=most,
    )


def _told(side: Side) -> SideTold:
    return SideTold(
        label=side.label,
        run=str(side.run.path),
        run_id=side.run.plan.run_id,
        url=side.arm.url,
        model=side.arm.model,
        figures=side.summary,
    )
