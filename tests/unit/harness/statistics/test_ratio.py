"""The ratio of two pass rates on the same items."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from harness.statistics.paired import Flips, rate_ratio
from tests.support.exact import ratio_passed_at


def test_a_reference_that_passes_nothing_has_no_rate_ratio() -> None:
    assert rate_ratio(Flips(gained=3, neither=4)) is None


def test_the_other_way_round_it_is_the_inverse() -> None:
    """Neither side is treated otherwise than the other."""
    one, other = (
        rate_ratio(Flips(both=43, lost=3, gained=8)),
        rate_ratio(Flips(both=43, lost=8, gained=3)),
    )

    assert one is not None
    assert other is not None
    assert (one.value, one.low, one.high) == pytest.approx(
        (1 / other.value, 1 / other.high, 1 / other.low)
    )


@pytest.mark.parametrize("items", [20, 60])
def test_rows_of_which_none_flipped_still_leave_room_and_more_rows_less(items: int) -> None:
    few, many = rate_ratio(Flips(both=items)), rate_ratio(Flips(both=items * 10))

    assert few is not None
    assert many is not None
    assert few.low < many.low < 1 < many.high < few.high


@pytest.mark.parametrize(
    ("both", "lost", "gained"), [(0.90, 0.05, 0.02), (0.6, 0.1, 0.1), (0.4, 0.3, 0.05)]
)
def test_the_interval_covers_the_truth_as_often_as_it_says(
    both: float, lost: float, gained: float
) -> None:
    """Every outcome of 25 rows, weighted with its probability: no luck in it."""
    rows, neither = 25, 1 - both - lost - gained
    truth = (both + gained) / (both + lost)
    covered = 0.0
    for b, one, g in itertools.product(range(rows + 1), repeat=3):
        rest = rows - b - one - g
        if rest < 0:
            continue
        chance = math.exp(
            math.lgamma(rows + 1)
            - sum(math.lgamma(n + 1) for n in (b, one, g, rest))
            + sum(
                n * math.log(p) for n, p in ((b, both), (one, lost), (g, gained), (rest, neither))
            )
        )
        if chance < 1e-9:
            continue
        found = rate_ratio(Flips(both=b, lost=one, gained=g, neither=rest))
        covered += chance * (found is not None and found.low <= truth <= found.high)

    assert 0.93 <= covered < 0.9999


@pytest.mark.parametrize(("limit", "items"), [(0.99, 381), (0.999, 3_838)])
def test_as_many_items_without_a_flip_show_a_ratio(limit: float, items: int) -> None:
    enough, one_less = (rate_ratio(Flips(both=both)) for both in (items, items - 1))

    assert enough is not None
    assert one_less is not None
    assert one_less.low < limit <= enough.low
    assert enough.low == pytest.approx(items / (items + 1.959964**2), abs=1e-9)


@pytest.mark.parametrize("limit", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("items", [60, 200, 381, 600, 2_000, 5_000])
def test_a_candidate_at_the_limit_is_passed_as_rarely_as_it_says(limit: float, items: int) -> None:
    """Against a reference that passes all, exactly: no luck in it."""
    assert ratio_passed_at(limit, items) <= 0.025


def test_its_ends_are_where_the_score_of_the_restricted_likelihood_gives_way() -> None:
    """Nam and Blackwelder 2002, with the likelihood maximised by numbers."""
    flips = Flips(both=170, lost=14, gained=5, neither=11)
    found = rate_ratio(flips)

    assert found is not None
    for end, score in ((found.low, 1.959964), (found.high, -1.959964)):
        gained = minimize_scalar(
            lambda gained, end=end: (
                -(
                    flips.both * math.log(end - gained * (1 + end))
                    + flips.lost * math.log(1 - end + end * gained)
                    + flips.gained * math.log(gained)
                )
            ),
            bounds=(max(1e-9, 1 - 1 / end + 1e-9), end / (1 + end) - 1e-9),
            options={"xatol": 1e-12},
        ).x
        error = math.sqrt(189 * end * (1 - end + end * gained + gained))
        assert (175 - end * 184) / error == pytest.approx(score, abs=1e-4)


def test_a_candidate_that_passes_nothing_has_a_ratio_of_nothing() -> None:
    found = rate_ratio(Flips(lost=20))

    assert found is not None
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1.959964**2 / 20, abs=1e-6)


@pytest.mark.parametrize(
    ("items", "chances"),
    [
        (60, (0.85, 0.06, 0.03)),
        (250, (0.97, 0.01, 0.0)),
        (1_000, (0.95, 0.01, 0.005)),
        (1_000, (0.9, 0.001, 0.02)),
    ],
)
def test_the_true_ratio_is_covered(items: int, chances: tuple[float, float, float]) -> None:
    both, lost, gained = chances
    truth = (both + gained) / (both + lost)
    runs = 1_000
    drawn = np.random.default_rng(7).multinomial(items, (*chances, 1 - sum(chances)), size=runs)
    found = (rate_ratio(Flips(both=b, lost=one, gained=g, neither=n)) for b, one, g, n in drawn)

    assert sum(one is not None and not one.excludes(truth) for one in found) / runs >= 0.93


def test_items_that_tell_as_much_as_fewer_leave_more_room() -> None:
    alone, again = (rate_ratio(Flips(both=90, lost=6), repeats=repeats) for repeats in (1.0, 4.0))

    assert alone is not None
    assert again is not None
    assert again.value == alone.value
    assert again.low < alone.low < alone.high < again.high
