"""Two runs' answers set against each other by a judge that proved itself first."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from harness.judge import probes
from harness.judge.judging import worst_first
from harness.judge.pairwise import Pair, Preference, compare
from harness.judge.preferences import PairwiseFigures, figures, findings
from harness.judge.scoring import AT_ONCE
from harness.report.wording import bound
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


async def compare_runs(  # noqa: PLR0913  # the parts of a comparison
    stage: Stage,
    pairs: Sequence[Pair],
    *,
    sides: tuple[str, str],
    unanswered: int,
    proven: Sequence[Finding],
    model: str,
    margin: float,
    at_once: int = AT_ONCE,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Compared:
    """Probes the judge, then asks it about every pair, in both orders.

    `proven` is what was found of the runs (`harness.judge.validity`), `told` hears how many of how
    many are done. Raises GatewayError where the gateway refuses the caller.
    """
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
            *proven,
            *probes.pairwise_findings(probed),
            *findings(found, margin=margin),
            answered_finding(unanswered, len(pairs)),
        )
    )
    return Compared(
        left=sides[0],
        right=sides[1],
        model=model,
        verdict=overall(asked),
        findings=asked,
        unanswered=unanswered,
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
