"""What preferences add up to: wins, ties and losses, the judge's bias, and a verdict."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from harness.judge.length import LengthControlled, controlled
from harness.judge.pairwise import Outcome, Preference
from harness.judge.prompting import Choice
from harness.report.wording import bound, percent
from harness.statistics.interval import Interval
from harness.statistics.paired import Flips, mcnemar, rate_difference
from harness.statistics.proportions import wilson
from harness.summary import Rate
from harness.verdict import Finding, Verdict

FAILURES_ALLOWED: Final = 0.05
"""Of all pairs. Beyond it, those that the judge could judge are not all pairs."""
POINTS: Final = {Outcome.WIN: 1.0, Outcome.TIE: 0.5, Outcome.LOSS: 0.0}


class WinRate(msgspec.Struct, frozen=True, kw_only=True):
    """Of the left side, a tie counting half, with Tango's 95 % interval for paired outcomes."""

    wins: int
    ties: int
    losses: int
    value: float
    low: float
    high: float
    p_value: float
    """Exact sign test of wins against losses."""


class PositionBias(msgspec.Struct, frozen=True, kw_only=True):
    flips: Rate
    """Pairs where one place was preferred in both orders."""
    first: int
    """… the first place."""
    second: int
    p_value: float
    """Exact: would a judge that flips by chance prefer one place so often?"""


class PairwiseFigures(msgspec.Struct, frozen=True, kw_only=True):
    pairs: int
    failures: dict[str, int]
    overall: WinRate
    length_controlled: LengthControlled | None
    position: PositionBias
    by_category: dict[str, WinRate]


def figures(preferences: Sequence[Preference]) -> PairwiseFigures:
    judged = [one for one in preferences if one.outcome is not None]
    outcomes = [one.outcome for one in judged if one.outcome is not None]
    categories = sorted({one.category for one in judged if one.category})
    return PairwiseFigures(
        pairs=len(preferences),
        failures=dict(Counter(one.failure for one in preferences if one.outcome is None)),
        overall=win_rate(outcomes),
        length_controlled=controlled(
            [POINTS[outcome] for outcome in outcomes],
            [one.left_length - one.right_length for one in judged],
        ),
        position=_position(judged),
        by_category={
            name: win_rate([one.outcome for one in judged if one.outcome and one.category == name])
            for name in categories
        },
    )


def win_rate(outcomes: Sequence[Outcome]) -> WinRate:
    counts = Counter(outcomes)
    wins, losses, pairs = counts[Outcome.WIN], counts[Outcome.LOSS], len(outcomes)
    ties = counts[Outcome.TIE]
    flips = Flips(gained=wins, lost=losses, neither=ties)
    difference = rate_difference(flips) if pairs else Interval(value=0.0, low=-1.0, high=1.0)
    return WinRate(
        wins=wins,
        ties=ties,
        losses=losses,
        value=(1 + difference.value) / 2,
        low=(1 + difference.low) / 2,
        high=(1 + difference.high) / 2,
        p_value=mcnemar(flips),
    )


def _position(judged: Sequence[Preference]) -> PositionBias:
    flips = Counter(one.flip for one in judged if one.flip is not None)
    first, second = flips[Choice.A], flips[Choice.B]
    return PositionBias(
        flips=wilson(first + second, len(judged)),
        first=first,
        second=second,
        p_value=mcnemar(Flips(gained=first, lost=second)),
    )


def findings(found: PairwiseFigures, *, margin: float) -> tuple[Finding, ...]:
    """`margin`: how far under one half the win rate may be for the left side to be no worse."""
    return (failures_finding(sum(found.failures.values()), found.pairs), _worse(found, margin))


def failures_finding(failed: int, of: int, what: str = "pairs") -> Finding:
    share = failed / of if of else 1.0
    reason = f"the judge gave no valid reply for {failed} of {of} {what}"
    if not of:
        reason = f"there are no {what} to judge"
    return Finding(
        name="judge's failures",
        verdict=Verdict.INVALID if share > FAILURES_ALLOWED else Verdict.PASS,
        reason=f"{reason}; at most {bound(FAILURES_ALLOWED)} may be missing",
        measured=share,
        limit=FAILURES_ALLOWED,
    )


def _worse(found: PairwiseFigures, margin: float) -> Finding:
    rate, least = found.overall, 0.5 - margin
    if rate.low >= least:
        verdict, says = Verdict.PASS, "it is not worse"
    elif rate.high < least:
        verdict, says = Verdict.FAIL, "it is worse"
    else:
        verdict, says = Verdict.INCONCLUSIVE, "more items would tell"
    return Finding(
        name="win rate",
        verdict=verdict,
        reason=f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)}) of "
        f"{found.pairs} pairs go to the left side; at least {bound(least)} is asked: {says}",
        measured=rate.value,
        limit=least,
    )
