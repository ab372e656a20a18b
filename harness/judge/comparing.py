"""Two runs' answers set against each other by a judge that proved itself first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import WrongInput
from harness.judge import probes, validity
from harness.judge.answers import pairs_of
from harness.judge.judging import worst_first
from harness.judge.pairwise import Pair, Preference, compare
from harness.judge.preferences import PairwiseFigures, figures, findings
from harness.judge.scoring import AT_ONCE
from harness.report.wording import bound
from harness.runs.folder import RunFolder
from harness.stage import Stage
from harness.verdict import Finding, Verdict, overall


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    left: str
    right: str
    """Run and arm."""
    model: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    unanswered: int
    """Rows that one side or both did not answer; not among the pairs."""
    figures: PairwiseFigures
    probes: tuple[Preference, ...]
    preferences: tuple[Preference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Two runs' answers to the same rows."""

    left: str
    right: str
    """Run and arm."""
    pairs: Sequence[Pair]
    unanswered: int
    proven: Sequence[Finding]
    """What was found of the runs themselves."""


def sides_of(left: Path, right: Path, arms: tuple[str | None, str | None]) -> Sides:
    """Of two runs, or two arms of one; without names the left's first arm, the right's last.

    Raises StoreError for what is no run, WrongInput where they can't be compared.
    """
    runs = RunFolder(left), RunFolder(right)
    names = arms[0] or runs[0].plan.arms[0].name, arms[1] or runs[1].plan.arms[-1].name
    if left.resolve() == right.resolve() and names[0] == names[1]:
        raise WrongInput(f"{left} is compared with itself: name two runs, or two arms of one")
    pairs, unanswered = pairs_of(*runs, names)
    return Sides(
        left=f"{left.name}/{names[0]}",
        right=f"{right.name}/{names[1]}",
        pairs=pairs,
        unanswered=unanswered,
        proven=validity.findings(*runs),
    )


async def compare_runs(
    stage: Stage,
    sides: Sides,
    *,
    model: str,
    margin: float,
    at_once: int = AT_ONCE,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Compared:
    """Probes the judge, then asks it about every pair, in both orders.

    `told` hears how many of how many are done. Raises GatewayError where the gateway refuses the
    caller.
    """
    pairs = sides.pairs
    probing = probes.pairs(probes.load())
    done = 0

    def count(_: Preference) -> None:
        nonlocal done
        done += 1
        told(done, len(probing) + len(pairs))

    probed = await compare(stage, probing, model=model, at_once=at_once, told=count)
    said = await compare(stage, pairs, model=model, at_once=at_once, told=count)
    found = figures(said)
    asked = worst_first(
        (
            *sides.proven,
            *probes.pairwise_findings(probed),
            *findings(found, margin=margin),
            answered_finding(sides.unanswered, len(pairs)),
        )
    )
    return Compared(
        left=sides.left,
        right=sides.right,
        model=model,
        verdict=overall(asked),
        findings=asked,
        unanswered=sides.unanswered,
        figures=found,
        probes=tuple(probed),
        preferences=tuple(said),
    )


MOST_UNANSWERED: Final = 0.05


def answered_finding(unanswered: int, pairs: int) -> Finding:
    of = unanswered + pairs
    share = unanswered / of if of else 1.0
    return Finding(
        name="rows answered by both",
        verdict=Verdict.INVALID if share > MOST_UNANSWERED else Verdict.PASS,
        reason=f"{pairs} of {of}; where more than {bound(MOST_UNANSWERED)} are missing, the "
        "rest says little about all",
        measured=1 - share,
        limit=1 - MOST_UNANSWERED,
    )
