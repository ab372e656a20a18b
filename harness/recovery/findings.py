"""What is asked of a recovery run, and the verdict.

INVALID comes before all else: a reference that doesn't agree with itself, or whose own answers are
wrong, says nothing about a candidate. FAIL needs an interval that lies wholly beyond its limit,
PASS one that lies wholly within; anything between is INCONCLUSIVE, and more rows decide it. Quality
alone may reach below its limit by the policy's margin. Errors and the noise floor are held to what
was seen: sixty rows without an error don't show 1 %.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from harness.load import failures
from harness.recovery.asking import NO_LOGPROBS
from harness.recovery.plan import CANDIDATE
from harness.recovery.results import ArmTold, Recovery
from harness.report.wording import bound, number, percent
from harness.statistics.interval import Interval
from harness.verdict import Finding, Verdict, overall

PASS, FAIL = Verdict.PASS, Verdict.FAIL
INCONCLUSIVE, INVALID = Verdict.INCONCLUSIVE, Verdict.INVALID
_SEVERITY: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}
_SMALLEST_P: Final = 0.001
_TOO_FEW: Final = "too few rows were answered to tell"

Findings = Iterator[Finding]


def judge(found: Recovery) -> Recovery:
    """With findings and verdict added to those that are there."""
    asked = [finding for question in QUESTIONS for finding in question(found)]
    findings = sorted(
        _one_model_is_no_failure(found, [*found.findings, *asked]),
        key=lambda finding: _SEVERITY[finding.verdict],
        reverse=True,
    )
    return msgspec.structs.replace(found, verdict=overall(findings), findings=tuple(findings))


def _one_model_is_no_failure(found: Recovery, findings: Sequence[Finding]) -> Findings:
    """A model can't be worse than itself: where it seems so, the noise was underestimated."""
    for finding in findings:
        if found.plan.is_one_model and finding.verdict is FAIL:
            reason = f"{finding.reason}; but both are one model: the noise floor is too low"
            yield msgspec.structs.replace(finding, verdict=INVALID, reason=reason)
        else:
            yield finding


def errors(found: Recovery) -> Findings:
    limit = found.plan.policy.answers.max_error_rate
    for arm in found.arms:
        rate = arm.error_rate
        if rate.value <= limit:
            verdict = PASS
        elif arm.arm != CANDIDATE:
            verdict = INVALID
        else:
            verdict = FAIL if rate.low > limit else INCONCLUSIVE
        yield Finding(
            name=f"errors, {arm.arm}",
            verdict=verdict,
            reason=f"{rate.count:,} of {rate.of:,} observations failed, at most "
            f"{bound(limit)} may" + _why(arm),
            measured=rate.value,
            limit=limit,
        )


def one_model_an_arm(found: Recovery) -> Findings:
    for arm in found.arms:
        if len(arm.variants) > 1:
            yield Finding(
                name=f"one model, {arm.arm}",
                verdict=INVALID,
                reason=f"answers came from {', '.join(arm.variants)}: name one, as team/variant",
            )


def same_tokens(found: Recovery) -> Findings:
    if not found.same_tokens:
        yield Finding(
            name="tokens",
            verdict=INVALID,
            reason="the two turn the same prompt into different tokens: another tokenizer or "
            "chat template, so their probabilities can't be compared",
        )


def log_probabilities(found: Recovery) -> Findings:
    """Without them quality may stay while the model is another one: nothing is vouched for."""
    silent = [arm.arm for arm in found.arms if NO_LOGPROBS in arm.errors]
    if silent:
        yield Finding(
            name="log-probabilities",
            verdict=INVALID,
            reason=f"{', '.join(silent)}: answers without prompt_logprobs; ask an engine or a "
            "gateway that passes them on",
        )


def floor(found: Recovery) -> Findings:
    policy, own = found.plan.policy.floor, found.floor
    if own.fidelity is not None:
        kl, top1 = own.fidelity.kl.value, own.fidelity.top1.value
        yield Finding(
            name="noise floor, KL",
            verdict=PASS if kl <= policy.max_kl else INVALID,
            reason=f"the reference is {number(kl)} nats a token from itself, at most "
            f"{number(policy.max_kl)} are allowed",
            measured=kl,
            limit=policy.max_kl,
            unit="nats",
        )
        yield Finding(
            name="noise floor, top-1",
            verdict=PASS if top1 >= policy.min_top1 else INVALID,
            reason=f"the reference agrees with itself at {percent(top1)} of the positions, at "
            f"least {bound(policy.min_top1)} are asked for",
            measured=top1,
            limit=policy.min_top1,
        )
    if own.quality is not None:
        rate = own.quality.reference.value
        flips = (len(own.quality.lost) + len(own.quality.gained)) / own.quality.rows
        yield Finding(
            name="noise floor, flips",
            verdict=PASS if flips <= policy.max_flips else INVALID,
            reason=f"the reference passes {percent(flips)} of the rows once and fails them once, "
            f"at most {bound(policy.max_flips)} are allowed",
            measured=flips,
            limit=policy.max_flips,
        )
        yield Finding(
            name="reference",
            verdict=PASS if rate >= policy.min_pass_rate else INVALID,
            reason=f"the reference passes {percent(rate)} of the rows, at least "
            f"{bound(policy.min_pass_rate)} make it one",
            measured=rate,
            limit=policy.min_pass_rate,
        )


def quality(found: Recovery) -> Findings:
    policy, own = found.plan.policy.quality, found.candidate.quality
    name = "quality recovery"
    if own is None:
        yield Finding(name=name, verdict=INVALID, reason="no row of the promptset has checks")
        return
    if own.recovery is None:
        return  # the reference passes nothing, which has a finding of its own
    recovery = own.recovery
    if recovery.high < policy.min_recovery:
        verdict = FAIL
    elif (
        recovery.value >= policy.min_recovery
        and recovery.low >= policy.min_recovery - policy.margin
    ):
        verdict = PASS
    else:
        verdict = INCONCLUSIVE
    yield Finding(
        name=name,
        verdict=verdict,
        reason=f"{_shares(recovery)} of the reference's pass rate; {bound(policy.min_recovery)} "
        f"is asked for, and {bound(policy.min_recovery - policy.margin)} of the interval's lower "
        f"end; {len(own.lost)} rows lost, {len(own.gained)} gained (McNemar "
        f"p {p_value(own.p_value)})" + _more_rows(verdict),
        measured=recovery.value,
        limit=policy.min_recovery,
    )


def divergence_from_reference(found: Recovery) -> Findings:
    policy, beyond = found.plan.policy.fidelity, found.excess
    own = found.candidate.fidelity
    if beyond is None or own is None or own.rows < policy.min_rows:
        rows = 0 if own is None else own.rows
        yield Finding(
            name="fidelity",
            verdict=INCONCLUSIVE,
            reason=f"{rows} rows were scored by both, {policy.min_rows} are needed",
            measured=rows,
            limit=policy.min_rows,
            unit="rows",
        )
        return
    yield _at_most(
        "KL divergence",
        beyond.kl,
        policy.max_kl,
        lambda value: f"{number(value)} nats",
        "a token above the noise floor",
    )
    yield _at_most(
        "top-1 disagreement",
        beyond.disagreement,
        1 - policy.min_top1,
        percent,
        "of the positions above the noise floor",
    )


def length(found: Recovery) -> Findings:
    limit, ratio = found.plan.policy.answers.min_length_ratio, found.candidate.length_ratio
    if ratio is None:
        yield Finding(name="answer length", verdict=INCONCLUSIVE, reason=_TOO_FEW)
        return
    verdict = PASS if ratio.low >= limit else FAIL if ratio.high < limit else INCONCLUSIVE
    yield Finding(
        name="answer length",
        verdict=verdict,
        reason=f"answers have {_shares(ratio)} of the reference's tokens, at least "
        f"{bound(limit)} are asked for" + _more_rows(verdict),
        measured=ratio.value,
        limit=limit,
    )


def speed(found: Recovery) -> Findings:
    policy = found.plan.policy.speed
    if policy.min_speedup is None:
        return
    own, floor = (
        None if pairing.speed is None else pairing.speed.latency
        for pairing in (found.candidate, found.floor)
    )
    name = "speed-up"
    if own is None or floor is None:
        yield Finding(name=name, verdict=INCONCLUSIVE, reason="too few turns were timed to tell")
        return
    if floor.low > 1 + policy.max_bias or floor.high < 1 - policy.max_bias:
        yield Finding(
            name=name,
            verdict=INVALID,
            reason=f"the reference takes {number(floor.value)} times as long as itself: something "
            "else kept the machine busy",
            measured=floor.value,
        )
        return
    low, high = 1 / own.high, 1 / own.low
    verdict = (
        PASS if low >= policy.min_speedup else FAIL if high < policy.min_speedup else INCONCLUSIVE
    )
    yield Finding(
        name=name,
        verdict=verdict,
        reason=f"{number(1 / own.value)} times as fast ({number(low)} to {number(high)}), at "
        f"least {number(policy.min_speedup)} is asked for",
        measured=1 / own.value,
        limit=policy.min_speedup,
    )


QUESTIONS: Final[tuple[Callable[[Recovery], Findings], ...]] = (
    errors,
    one_model_an_arm,
    same_tokens,
    log_probabilities,
    floor,
    quality,
    divergence_from_reference,
    length,
    speed,
)


def _at_most(
    name: str, found: Interval, limit: float, said: Callable[[float], str], what: str
) -> Finding:
    verdict = PASS if found.high <= limit else FAIL if found.low > limit else INCONCLUSIVE
    return Finding(
        name=name,
        verdict=verdict,
        reason=f"{said(found.value)} {what} ({said(found.low)} to {said(found.high)}), at most "
        f"{said(limit)} may be" + _more_rows(verdict),
        measured=found.value,
        limit=limit,
    )


def p_value(value: float) -> str:
    return f"= {number(value)}" if value >= _SMALLEST_P else f"< {_SMALLEST_P}"


def _shares(found: Interval) -> str:
    return f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})"


def _more_rows(verdict: Verdict) -> str:
    return "; more rows would decide it" if verdict is INCONCLUSIVE else ""


def _why(arm: ArmTold) -> str:
    if not arm.errors:
        return ""
    worst = next(iter(arm.errors))
    of_reference = " Mend the reference first." if arm.arm != CANDIDATE else ""
    return f"; most often: {failures.describe(worst)}.{of_reference}".removesuffix(".")
