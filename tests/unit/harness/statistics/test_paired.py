"""Pass and fail on the same items: flips, McNemar's test, the difference of the rates."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from harness.statistics.paired import (
    Flips,
    design_effect,
    fewest,
    inferiority_p,
    mcnemar,
    rate_difference,
)


def test_flips_count_both_ways() -> None:
    pairs = [(True, True), (True, False), (False, True), (False, True), (False, False)]
    assert Flips.of(pairs) == Flips(both=1, lost=1, gained=2, neither=1)
    assert Flips.of(pairs).items == 5


def test_mcnemar_is_the_exact_binomial_of_the_flips() -> None:
    # 1 of 10 flips the good way: 2 * (1 + 10) / 2**10
    assert mcnemar(Flips(both=100, lost=9, gained=1, neither=7)) == pytest.approx(22 / 1024)


def test_items_that_did_not_flip_say_nothing_to_mcnemar() -> None:
    few, many = (Flips(both=both, lost=9, gained=1) for both in (0, 10_000))
    assert mcnemar(few) == mcnemar(many)


def test_without_flips_mcnemar_sees_no_difference() -> None:
    assert mcnemar(Flips(both=40, neither=3)) == 1


def test_pairing_tells_what_two_rates_alone_do_not() -> None:
    """78 % against 88 % of 100, where nearly all of the same items pass."""
    assert mcnemar(Flips(both=77, lost=1, gained=11, neither=11)) < 0.01


def test_its_ends_are_where_the_score_of_the_restricted_likelihood_gives_way() -> None:
    """Tango 1998, equations 10 to 14, with the likelihood maximised by numbers."""
    flips = Flips(both=170, lost=14, gained=5, neither=11)
    found = rate_difference(flips)
    assert found.low < found.value == -9 / 200 < found.high
    for end, score in ((found.low, 1.959964), (found.high, -1.959964)):
        free = minimize_scalar(
            lambda lost, end=end: (
                -flips.gained * math.log(lost + end)
                - flips.lost * math.log(lost)
                - (flips.both + flips.neither) * math.log(1 - 2 * lost - end)
            ),
            bounds=(max(1e-9, 1e-9 - end), (1 - end) / 2 - 1e-9),
            options={"xatol": 1e-10},
        ).x
        error = math.sqrt(200 * (2 * free + end * (1 - end)))
        assert (-9 - 200 * end) / error == pytest.approx(score, abs=1e-4)


def test_no_flip_at_all_still_has_a_width() -> None:
    found = rate_difference(Flips(both=100))
    z2 = 1.959964**2
    assert found.value == 0
    assert found.high == pytest.approx(z2 / (100 + z2), abs=1e-6)
    assert found.low == -found.high


def test_everything_lost_ends_at_minus_one() -> None:
    found = rate_difference(Flips(lost=20))
    assert (found.value, found.low) == pytest.approx((-1, -1))
    assert -1 < found.high < -0.6


def test_the_interval_and_the_test_of_a_margin_agree() -> None:
    flips = Flips(both=180, lost=6, gained=4, neither=10)
    low = rate_difference(flips).low
    assert inferiority_p(flips, -low + 1e-6) < 0.025
    assert inferiority_p(flips, -low - 1e-6) > 0.025


def test_identical_answers_are_not_inferior_once_there_are_enough_of_them() -> None:
    assert inferiority_p(Flips(both=60), 0.02) > 0.025
    assert inferiority_p(Flips(both=600), 0.02) < 0.025


@pytest.mark.parametrize(("flips", "margin"), [(Flips(), 0.02), (Flips(both=9), 1.0)])
def test_a_margin_that_can_not_be_tested_is_refused(flips: Flips, margin: float) -> None:
    with pytest.raises(ValueError, match="can't be tested"):
        inferiority_p(flips, margin)


def test_a_difference_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no items"):
        rate_difference(Flips())


@pytest.mark.parametrize(
    ("items", "chances"),
    [(30, (0.7, 0.1, 0.05, 0.15)), (60, (0.9, 0.04, 0.02, 0.04)), (250, (0.9, 0.01, 0.01, 0.08))],
)
def test_the_true_difference_is_covered(
    items: int, chances: tuple[float, float, float, float]
) -> None:
    runs = 1_000
    drawn = np.random.default_rng(7).multinomial(items, chances, size=runs).tolist()
    truth = chances[2] - chances[1]
    covered = sum(
        not rate_difference(Flips(both=b, lost=lost, gained=g, neither=n)).excludes(truth)
        for b, lost, g, n in drawn
    )
    assert covered / runs >= 0.93


def test_the_score_is_finite_at_the_edges() -> None:
    assert math.isfinite(inferiority_p(Flips(gained=3), 0.0))


@pytest.mark.parametrize(("margin", "items"), [(0.02, 189), (0.05, 73)])
def test_as_many_items_as_are_said_to_be_needed_show_it(margin: float, items: int) -> None:
    assert fewest(margin) == items
    assert rate_difference(Flips(both=items)).low >= -margin
    assert rate_difference(Flips(both=items - 1)).low < -margin
    assert fewest(0) is None


def test_answers_to_the_same_prompts_count_by_how_much_they_hang_together() -> None:
    draw = np.random.default_rng(3)
    same = [[(True, flipped)] * 4 for flipped in (draw.random(200) > 0.1).tolist()]
    free = [[(True, one) for one in four] for four in (draw.random((200, 4)) > 0.1).tolist()]
    assert design_effect(same) == pytest.approx(4, rel=0.02)
    assert design_effect(free) == pytest.approx(1, abs=0.3)
    assert design_effect([[(True, True)] * 4] * 50) == 4


@pytest.mark.parametrize("steadiness", [1.0, 0.5, 0.0])
def test_the_difference_is_covered_when_prompts_are_asked_again(steadiness: float) -> None:
    """Each of 100 prompts is asked 4 times; answers are its own by a share, else by chance."""
    draw = np.random.default_rng(6)
    runs, covered = 400, 0
    for _ in range(runs):
        own, chance = draw.random((100, 1, 2)), draw.random((100, 4, 2))
        drawn = np.where(draw.random((100, 4, 1)) < steadiness, own, chance)
        passed = (drawn < (0.85, 0.75)).tolist()
        prompts = [[(bool(old), bool(new)) for old, new in answers] for answers in passed]
        flips = Flips.of(pair for answers in prompts for pair in answers)
        found = rate_difference(flips, repeats=design_effect(prompts))
        covered += not found.excludes(-0.1)
    assert covered / runs >= 0.93
