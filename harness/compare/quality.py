"""Are the candidate's answers as good as the reference's?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from harness.compare.pairing import Pair
from harness.compare.results import CategoryRates, Flip, Noise, Quality
from harness.figures import passed
from harness.records import Record
from harness.shares import percent, told
from harness.statistics.paired import (
    Flips,
    design_effect,
    fewest,
    inferiority_p,
    mcnemar,
    rate_difference,
    rate_ratio,
)
from harness.statistics.proportions import wilson
from harness.totals import Checked
from harness.verdict import Finding, Verdict


def quality(pairs: Sequence[Pair], margin: float) -> Quality | None:
    """None where no pair has checks."""
    graded = [(pair, pair.passed) for pair in pairs if pair.passed is not None]
    if not graded:
        return None
    outcomes = _by_prompt(graded)
    flips = Flips.of(outcome for _, outcome in graded)
    repeats = design_effect(list(outcomes.values()))
    return Quality(
        pairs=flips.items,
        prompts=len(outcomes),
        reference=passed(Checked(flips.items, flips.both + flips.lost), len(outcomes)),
        candidate=passed(Checked(flips.items, flips.both + flips.gained), len(outcomes)),
        difference=rate_difference(flips, repeats=repeats),
        ratio=rate_ratio(flips, repeats=repeats),
        margin=margin,
        p_different=mcnemar(_turned(outcomes.values())),
        p_inferior=inferiority_p(flips, margin, repeats=repeats),
        flips=flips,
        lost=tuple(_flip(pair) for pair, (old, new) in graded if old and not new),
        gained=tuple(_flip(pair) for pair, (old, new) in graded if new and not old),
        by_category=_by_category(graded),
        noise=_noise(outcomes.values()),
    )


def finding(found: Quality | None, margin: float) -> Finding:
    """PASS where the candidate is not worse by more than the margin, FAIL where it surely is."""
    if found is None:
        return Finding(
            name="quality",
            verdict=Verdict.INCONCLUSIVE,
            reason="no row that both were asked has checks: nothing is known of the answers",
            limit=-margin,
        )
    between = found.difference
    verdict, said = _judged(found, margin)
    return Finding(
        name="quality",
        verdict=verdict,
        reason=f"pass rates {percent(found.reference.value)} and {percent(found.candidate.value)}, "
        f"{_points(between.value)} points ({_points(between.low)} to {_points(between.high)}), "
        f"{found.flips.lost} lost and {found.flips.gained} gained of {found.pairs:,}: {said}",
        measured=between.value,
        limit=-margin,
    )


def noise_finding(found: Quality | None) -> Finding | None:
    """How much the reference differs from itself: told, so that a difference can be weighed against
    it, and held against nobody. None where quality isn't known at all.
    """
    if found is None:
        return None
    if found.noise is None:
        reason = "not known, for every prompt was asked once: --repeat 2 asks the reference again"
        return Finding(name="noise floor", verdict=Verdict.PASS, reason=reason)
    flipped = found.noise.flipped
    return Finding(
        name="noise floor",
        verdict=Verdict.PASS,
        reason="asked again, the reference differed from itself: "
        + told(flipped, "prompts passed once and failed once"),
        measured=flipped.value,
    )


def _judged(found: Quality, margin: float) -> tuple[Verdict, str]:
    between = found.difference
    shown = f"{100 * margin:.3g}"
    least = f"the margin of {shown} {'point' if shown == '1' else 'points'}"
    if between.low >= -margin:
        return Verdict.PASS, f"not inferior, by {least}"
    if between.high < -margin:
        return Verdict.FAIL, f"inferior, beyond {least}"
    if between.high < 0:
        return Verdict.INCONCLUSIVE, f"worse, but whether beyond {least} takes more prompts to tell"
    needed = fewest(margin)
    more = f"; it takes {needed:,} at least" if needed and found.prompts < needed else ""
    return Verdict.INCONCLUSIVE, f"too few prompts to tell it from {least}{more}"


def _by_prompt(
    graded: Iterable[tuple[Pair, tuple[bool, bool]]],
) -> Mapping[str, list[tuple[bool, bool]]]:
    outcomes: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for pair, outcome in graded:
        outcomes[pair.row.prompt_id].append(outcome)
    return outcomes


def _turned(outcomes: Iterable[Sequence[tuple[bool, bool]]]) -> Flips:
    """Prompts that were passed more often by the one than by the other."""
    balances = [sum(new - old for old, new in repeats) for repeats in outcomes]
    return Flips(
        lost=sum(balance < 0 for balance in balances),
        gained=sum(balance > 0 for balance in balances),
        both=sum(balance == 0 for balance in balances),
    )


def _noise(outcomes: Iterable[Sequence[tuple[bool, bool]]]) -> Noise | None:
    """Each prompt's first answer against its second, of the reference."""
    again = [repeats for repeats in outcomes if len(repeats) > 1]
    if not again:
        return None
    flipped = sum(repeats[0][0] != repeats[1][0] for repeats in again)
    return Noise(flipped=wilson(flipped, len(again)))


def _by_category(
    graded: Iterable[tuple[Pair, tuple[bool, bool]]],
) -> dict[str, CategoryRates]:
    groups: dict[str, list[tuple[str, tuple[bool, bool]]]] = defaultdict(list)
    for pair, outcome in graded:
        groups[pair.row.category].append((pair.row.prompt_id, outcome))
    return {name: _category(groups[name]) for name in sorted(groups)}


def _category(group: Sequence[tuple[str, tuple[bool, bool]]]) -> CategoryRates:
    flips = Flips.of(outcome for _, outcome in group)
    prompts: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for prompt, outcome in group:
        prompts[prompt].append(outcome)
    return CategoryRates(
        reference=passed(Checked(flips.items, flips.both + flips.lost), len(prompts)),
        candidate=passed(Checked(flips.items, flips.both + flips.gained), len(prompts)),
        difference=rate_difference(flips, repeats=design_effect(list(prompts.values()))),
    )


def _flip(pair: Pair) -> Flip:
    return Flip(
        prompt_id=pair.row.prompt_id,
        repeat=pair.repeat,
        category=pair.row.category,
        question=pair.row.question,
        reference=_answer(pair.reference),
        candidate=_answer(pair.candidate),
    )


def _answer(record: Record) -> str:
    return record.output if record.ok else f"[{record.error}]"


def _points(share: float) -> str:
    return f"{100 * share:+.3g}"
