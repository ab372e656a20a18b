"""A run's answers scored by a judge, and what the scores add up to."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from harness.judge import journal, probes, validity
from harness.judge.answers import Answer, answers_of
from harness.judge.preferences import failures_finding
from harness.judge.scoring import AT_ONCE, DIMENSIONS, Case, Failed, Outcome, Scored, score
from harness.report.wording import bound, percent
from harness.runs.folder import RunFolder
from harness.stage import Stage
from harness.statistics.interval import Interval
from harness.statistics.means import mean
from harness.statistics.proportions import wilson
from harness.summary import Rate
from harness.verdict import Finding, Verdict, overall

JUDGEMENTS: Final = "judgements.jsonl"
SUMMARY: Final = "judgements.json"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge said of one answer, under one profile."""

    case_id: str
    profile: str
    index: int
    """The record's."""
    outcome: Outcome


class ArmScores(msgspec.Struct, frozen=True, kw_only=True):
    """Of one arm. A request that failed did not pass; an answer that the judge failed on is not
    counted, and too many of them make it all INVALID.
    """

    arm: str
    answers: int
    unanswered: int
    failures: dict[str, int]
    """Of the judge, by code."""
    pass_rate: Rate
    by_category: dict[str, Rate]
    dimensions: dict[str, Interval | None]
    """Mean scores of those judged, from 0 to 1; None for fewer than two."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    profile: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    arms: tuple[ArmScores, ...]


async def judge_run(
    stage: Stage,
    folder: Path,
    *,
    profile: str,
    min_pass_rate: float,
    at_once: int = AT_ONCE,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Judged:
    """Judges what has not been judged, and writes JUDGEMENTS and SUMMARY beside the records.

    `told` hears how many answers of how many are done. Raises StoreError, and GatewayError where
    the gateway refuses the caller.
    """
    run = RunFolder(folder)
    answers = answers_of(run)
    said = known(folder / JUDGEMENTS, profile)
    todo = {
        answer.case.case_id: answer
        for answer in answers
        if answer.record.ok and not _settled(said.get(answer.case.case_id))
    }
    done = len(answers) - len(todo)
    probed = await score(stage, probes.cases(probes.load()), profile=profile, at_once=at_once)

    with journal.Journal(folder / JUDGEMENTS) as judgements:

        def keep(case: Case, outcome: Outcome) -> None:
            nonlocal done
            said[case.case_id] = outcome
            judgements.add(
                Judgement(
                    case_id=case.case_id,
                    profile=profile,
                    index=todo[case.case_id].record.index,
                    outcome=outcome,
                )
            )
            done += 1
            told(done, len(answers))

        cases = [answer.case for answer in todo.values()]
        await score(stage, cases, profile=profile, at_once=at_once, told=keep)
    proven = (*validity.findings(run), *probes.score_findings(probed))
    judged = summarise(run.plan.run_id, profile, answers, said, proven, min_pass_rate)
    journal.write(folder / SUMMARY, judged)
    return judged


def known(path: Path, profile: str) -> dict[str, Outcome]:
    """What was said before, by case; the last word counts."""
    entries = journal.read(path, Judgement)
    return {one.case_id: one.outcome for one in entries if one.profile == profile}


def _settled(outcome: Outcome | None) -> bool:
    return outcome is not None and not (isinstance(outcome, Failed) and outcome.worth_asking_again)


def summarise(
    run_id: str,
    profile: str,
    answers: Sequence[Answer],
    said: Mapping[str, Outcome],
    proven: Iterable[Finding],
    min_pass_rate: float,
) -> Judged:
    arms = tuple(
        _arm_scores(arm, [answer for answer in answers if answer.arm == arm], said)
        for arm in dict.fromkeys(answer.arm for answer in answers)
    )
    findings = (
        *proven,
        *(finding for arm in arms for finding in _findings(arm, min_pass_rate)),
    )
    return Judged(
        run_id=run_id,
        profile=profile,
        verdict=overall(findings),
        findings=worst_first(findings),
        arms=arms,
    )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    rank = (Verdict.INVALID, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    return tuple(sorted(findings, key=lambda finding: rank.index(finding.verdict)))


def _arm_scores(arm: str, answers: Sequence[Answer], said: Mapping[str, Outcome]) -> ArmScores:
    outcomes = {
        answer.case.case_id: said[answer.case.case_id] for answer in answers if answer.record.ok
    }
    scored = [one for one in outcomes.values() if isinstance(one, Scored)]
    failed = [one for one in outcomes.values() if isinstance(one, Failed)]
    counted = [
        answer for answer in answers if not isinstance(outcomes.get(answer.case.case_id), Failed)
    ]
    categories = sorted({answer.row.category for answer in counted})
    return ArmScores(
        arm=arm,
        answers=len(answers),
        unanswered=sum(not answer.record.ok for answer in answers),
        failures=dict(Counter(one.code for one in failed)),
        pass_rate=_pass_rate(counted, outcomes),
        by_category={
            name: _pass_rate([one for one in counted if one.row.category == name], outcomes)
            for name in categories
        },
        dimensions={name: _mean([getattr(one, name) for one in scored]) for name in DIMENSIONS},
    )


def _mean(scores: Sequence[float]) -> Interval | None:
    """Within what scores can be: Student's interval knows no bounds."""
    found = mean(scores)
    if found is None:
        return None
    return Interval(value=found.value, low=max(0.0, found.low), high=min(1.0, found.high))


def _pass_rate(answers: Sequence[Answer], outcomes: Mapping[str, Outcome]) -> Rate:
    said = [outcomes.get(answer.case.case_id) for answer in answers]
    return wilson(sum(isinstance(one, Scored) and one.passed for one in said), len(answers))


def _findings(arm: ArmScores, least: float) -> tuple[Finding, ...]:
    asked = arm.answers - arm.unanswered
    missing = failures_finding(sum(arm.failures.values()), asked, f"answers of {arm.arm}")
    if not asked:  # the model failed, not the judge
        reason = f"not one of {arm.answers} rows was answered"
        return (Finding(name=f"pass rate of {arm.arm}", verdict=Verdict.FAIL, reason=reason),)
    return (missing, rate_finding(f"pass rate of {arm.arm}", arm.pass_rate, least))


def rate_finding(name: str, rate: Rate, least: float) -> Finding:
    """PASS where the whole interval is at or above `least`, FAIL where it is below."""
    ends = f"{percent(rate.low)} to {percent(rate.high)}"
    shown = f"{rate.count} of {rate.of}: {percent(rate.value)} ({ends})"
    if rate.low >= least:
        verdict, says = Verdict.PASS, ""
    elif rate.high < least:
        verdict, says = Verdict.FAIL, ""
    else:
        verdict, says = Verdict.INCONCLUSIVE, ": more items would tell"
    return Finding(
        name=name,
        verdict=verdict,
        reason=f"{shown}; at least {bound(least)} is asked{says}",
        measured=rate.value,
        limit=least,
    )
