"""The ratio of two pass rates on the same items."""

import itertools
import math

import pytest

from harness.statistics.paired import Flips, rate_ratio


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


def test_items_that_tell_as_much_as_fewer_leave_more_room() -> None:
    alone, again = (rate_ratio(Flips(both=90, lost=6), repeats=repeats) for repeats in (1.0, 4.0))

    assert alone is not None
    assert again is not None
    assert again.value == alone.value
    assert again.low < alone.low < alone.high < again.high
