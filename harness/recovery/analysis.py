"""From what was observed to what was found."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from harness.checks import grade
from harness.ledger import Ledger
from harness.promptsets.rows import Row
from harness.recovery.divergence import divergence
from harness.recovery.fidelity import Places, excess, fidelity, places
from harness.recovery.findings import judge
from harness.recovery.measuring import NOTHING_TO_SCORE, planned
from harness.recovery.observations import (
    Batch,
    Footprint,
    Generated,
    Observation,
    Scored,
    Timed,
)
from harness.recovery.plan import ARMS, CANDIDATE, REFERENCE, REPEAT, RecoveryPlan
from harness.recovery.quality import quality
from harness.recovery.results import ArmTold, Memory, Pairing, Recovery
from harness.recovery.speed import speed, timing
from harness.statistics.means import ratio_of_means
from harness.statistics.proportions import wilson
from harness.verdict import Finding, Verdict

_Kind = TypeVar("_Kind", Generated, Scored, Timed, Batch, Footprint)
_WORST_FIRST: Final = sorted(Verdict, key=list(Verdict).index, reverse=True)


class Observed:
    """A run's observations by arm and kind."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._all = list(observations)

    def ledger(self, plan: RecoveryPlan, rows: Sequence[Row]) -> tuple[Finding, int, int]:
        """The finding, how many were planned, and how many different ones are here."""
        place = {key: index for index, key in enumerate(planned(plan, rows))}
        beyond = iter(range(len(place), len(place) + len(self._all)))
        seen = Ledger.of(place.get(one.key, next(beyond)) for one in self._all)
        return seen.finding(len(place)), len(place), seen.count

    def of(self, kind: type[_Kind], arm: str) -> list[_Kind]:
        return [one for one in self._all if isinstance(one, kind) and one.arm == arm]

    def proper(self, kind: type[_Kind], arm: str) -> list[_Kind]:
        return [one for one in self.of(kind, arm) if one.ok]

    def asked(self, arm: str) -> list[Observation]:
        """Without what could not be asked, and without what was not asked of the model."""
        return [
            one
            for one in self._all
            if one.arm == arm and not isinstance(one, Footprint) and one.error != NOTHING_TO_SCORE
        ]


def analyse(
    plan: RecoveryPlan, rows: Sequence[Row], observations: Iterable[Observation]
) -> Recovery:
    observed = Observed(observations)
    finding, total, recorded = observed.ledger(plan, rows)
    floor_places, candidate_places = (_places(plan, observed, arm) for arm in (REPEAT, CANDIDATE))
    floor = _pairing(rows, observed, REPEAT, floor_places)
    candidate = _pairing(rows, observed, CANDIDATE, candidate_places)
    found = Recovery(
        plan=plan,
        verdict=Verdict.INVALID,
        findings=(finding,),
        planned=total,
        recorded=recorded,
        arms=tuple(_told(plan, observed, arm) for arm in ARMS),
        floor=floor,
        candidate=candidate,
        excess=excess(candidate_places, floor_places),
        same_tokens=_same_tokens(observed),
    )
    return judge(found)


def _pairing(
    rows: Sequence[Row], observed: Observed, arm: str, places_of: Mapping[str, Places]
) -> Pairing:
    reference = {one.prompt_id: one for one in observed.proper(Generated, REFERENCE)}
    pairs = [
        (reference[one.prompt_id], one)
        for one in observed.proper(Generated, arm)
        if one.prompt_id in reference
    ]
    return Pairing(
        arm=arm,
        quality=quality(_passed(rows, observed, REFERENCE), _passed(rows, observed, arm)),
        fidelity=fidelity(places_of),
        divergence=divergence([(one.token_ids, other.token_ids) for one, other in pairs]),
        length_ratio=ratio_of_means(
            [len(one.token_ids) for one, _ in pairs], [len(other.token_ids) for _, other in pairs]
        ),
        speed=speed(
            (observed.proper(Timed, REFERENCE), observed.proper(Timed, arm)),
            (observed.proper(Batch, REFERENCE), observed.proper(Batch, arm)),
        ),
    )


def _passed(rows: Sequence[Row], observed: Observed, arm: str) -> dict[str, bool]:
    """Of rows with checks; what was never answered did not pass."""
    answers = {one.prompt_id: one.output for one in observed.proper(Generated, arm)}
    return {
        row.prompt_id: row.prompt_id in answers
        and bool(grade(row.checks, row.question, answers[row.prompt_id]).passed)
        for row in rows
        if row.checks
    }


def _places(plan: RecoveryPlan, observed: Observed, arm: str) -> dict[str, Places]:
    reference, other = (
        {one.prompt_id: one.positions for one in observed.proper(Scored, side)}
        for side in (REFERENCE, arm)
    )
    return places(reference, other, plan.top)


def _same_tokens(observed: Observed) -> bool:
    reference = {one.prompt_id: one.prompt_ids for one in observed.proper(Generated, REFERENCE)}
    return all(
        one.prompt_ids == reference[one.prompt_id]
        for one in observed.proper(Generated, CANDIDATE)
        if one.prompt_id in reference
    )


def _told(plan: RecoveryPlan, observed: Observed, arm: str) -> ArmTold:
    asked = observed.asked(arm)
    errors = Counter(one.error for one in asked if one.error)
    told = next(iter(observed.of(Footprint, arm)), Footprint(arm=arm))
    return ArmTold(
        arm=arm,
        errors=dict(errors.most_common()),
        error_rate=wilson(errors.total(), len(asked)),
        variants=dict(Counter(one.variant for one in asked if one.variant).most_common()),
        targets=dict(Counter(one.target for one in asked if one.target).most_common()),
        timing=timing(observed.proper(Timed, arm), observed.proper(Batch, arm)),
        memory=Memory(
            weights=plan.side(arm).weights_bytes,
            kv_cache=told.kv_cache_bytes,
            server=told.server_bytes,
        ),
    )
