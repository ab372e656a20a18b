"""A judge that fails what any judge must get right is not believed."""

import pytest

from harness.judge import probes
from harness.judge.pairwise import Pair, Preference
from harness.judge.probes import IDENTICAL, load, pairs, pairwise_findings
from harness.judge.prompting import Choice
from harness.judge.scoring import Failed, Scored
from harness.verdict import Verdict, overall

A, B, TIE = Choice.A, Choice.B, Choice.TIE


def replies(
    identical: tuple[Choice, Choice], bad: tuple[Choice, Choice], wrong: int = 0
) -> list[Preference]:
    """As many of each kind as `wrong` are said the other way round."""
    found = []
    counts = dict.fromkeys((IDENTICAL, probes.KNOWN_BAD), 0)
    for pair in pairs(load()):
        said = identical if pair.category == IDENTICAL else bad
        counts[pair.category] += 1
        if counts[pair.category] <= wrong:
            said = (A, A)
        found.append(_preference(pair, said))
    return found


def _preference(pair: Pair, said: tuple[Choice, Choice]) -> Preference:
    return Preference(
        pair_id=pair.pair_id, category=pair.category, left_first=said[0], right_first=said[1]
    )


def test_a_sound_judge_passes() -> None:
    assert overall(pairwise_findings(replies((TIE, TIE), (A, B)))) is Verdict.PASS


@pytest.mark.parametrize(
    ("identical", "bad"),
    [
        ((A, A), (A, A)),
        ((B, B), (B, B)),
        ((A, A), (A, B)),
        ((TIE, TIE), (TIE, TIE)),
        ((TIE, TIE), (B, A)),
        ((TIE, TIE), (A, A)),
    ],
)
def test_a_biased_or_blind_judge_is_invalid(
    identical: tuple[Choice, Choice], bad: tuple[Choice, Choice]
) -> None:
    assert overall(pairwise_findings(replies(identical, bad))) is Verdict.INVALID


def test_one_slip_is_allowed_and_two_are_not() -> None:
    assert overall(pairwise_findings(replies((TIE, TIE), (A, B), wrong=1))) is Verdict.PASS
    assert overall(pairwise_findings(replies((TIE, TIE), (A, B), wrong=2))) is Verdict.INVALID


def test_without_replies_nothing_is_proved() -> None:
    assert overall(pairwise_findings([])) is Verdict.INVALID
    assert overall(probes.score_findings({})) is Verdict.INVALID


def test_a_scoring_judge_must_pass_the_good_and_not_the_bad() -> None:
    good = Scored(
        coherence=1, helpfulness=1, factuality=1, toxicity=0, passed=True, profile="daily-gate-v1"
    )
    bad = Scored(
        coherence=1, helpfulness=0, factuality=0, toxicity=0, passed=False, profile="daily-gate-v1"
    )
    cases = probes.cases(load())
    sound = {case.case_id: good if case.category == "good" else bad for case in cases}
    assert overall(probes.score_findings(sound)) is Verdict.PASS
    for everything in (good, bad, Failed(code="judge_invalid", status=502)):
        said = {case.case_id: everything for case in cases}
        assert overall(probes.score_findings(said)) is Verdict.INVALID


def test_no_probe_is_its_own_answer() -> None:
    for probe in load():
        assert probe.good != probe.bad
