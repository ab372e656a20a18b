"""What both orders of a pair make, and what many pairs come to."""

import pytest

from harness.judge.pairwise import Outcome, Preference
from harness.judge.preferences import figures, findings, win_rate
from harness.judge.prompting import Choice
from harness.verdict import Verdict, overall

A, B, TIE = Choice.A, Choice.B, Choice.TIE


def preference(first: Choice | None, second: Choice | None, number: int = 0) -> Preference:
    return Preference(
        pair_id=f"p{number}",
        category="all",
        left_first=first,
        right_first=second,
        failure="" if first and second else "no_choice",
    )


@pytest.mark.parametrize(
    ("left_first", "right_first", "outcome"),
    [
        (A, B, Outcome.WIN),
        (B, A, Outcome.LOSS),
        (TIE, TIE, Outcome.TIE),
        (A, A, Outcome.TIE),
        (B, B, Outcome.TIE),
        (A, TIE, Outcome.TIE),
        (TIE, A, Outcome.TIE),
        (None, A, None),
        (A, None, None),
    ],
)
def test_who_wins_only_one_order_ties(
    left_first: Choice | None, right_first: Choice | None, outcome: Outcome | None
) -> None:
    assert preference(left_first, right_first).outcome is outcome


def test_a_judge_that_always_takes_the_first_place_decides_nothing_and_is_seen() -> None:
    found = figures([preference(A, A, number) for number in range(40)])
    assert (found.overall.wins, found.overall.ties, found.overall.losses) == (0, 40, 0)
    assert found.position.flips.value == 1.0
    assert (found.position.first, found.position.second) == (40, 0)
    assert found.position.p_value < 1e-9


def test_flips_that_go_either_way_are_no_bias() -> None:
    found = figures([preference(A, A), preference(B, B)] * 10)
    assert found.position.p_value == 1.0


def test_ties_alone_are_one_half_and_not_for_certain() -> None:
    rate = win_rate([Outcome.TIE] * 20)
    assert rate.value == 0.5
    assert rate.low < 0.5 < rate.high


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([Outcome.WIN] * 60 + [Outcome.LOSS] * 10, Verdict.PASS),
        ([Outcome.TIE] * 100, Verdict.PASS),
        ([Outcome.WIN] * 10 + [Outcome.LOSS] * 60, Verdict.FAIL),
        ([Outcome.WIN, Outcome.LOSS] * 3, Verdict.INCONCLUSIVE),
    ],
)
def test_the_interval_decides_not_the_rate(outcomes: list[Outcome], verdict: Verdict) -> None:
    sides = {Outcome.WIN: (A, B), Outcome.LOSS: (B, A), Outcome.TIE: (TIE, TIE)}
    found = figures([preference(*sides[one], n) for n, one in enumerate(outcomes)])
    assert overall(findings(found, margin=0.05)) is verdict


def test_a_judge_that_fails_on_more_than_a_twentieth_is_invalid() -> None:
    well = [preference(A, B, number) for number in range(90)]
    found = figures(well + [preference(None, A, number) for number in range(90, 100)])
    assert found.failures == {"no_choice": 10}
    assert found.overall.wins == 90
    assert overall(findings(found, margin=0.05)) is Verdict.INVALID


def test_no_pairs_are_invalid_and_not_a_pass() -> None:
    assert overall(findings(figures([]), margin=0.4)) is Verdict.INVALID
