"""The win rate at equal lengths."""

import math
import random

import pytest

from harness.judge.length import FEWEST, controlled


def sample(
    seed: int, *, skill: float, liking: float, longer: float, count: int = 400
) -> tuple[list[float], list[float]]:
    """Outcomes and differences: `longer` is how much longer the left answers are on average, and
    `liking` the log odds that the longest of them gain by it.
    """
    drawn = random.Random(seed)
    gaps = [drawn.gauss(longer, 100) for _ in range(count)]
    odds = [skill + liking * math.tanh(gap / 150) for gap in gaps]
    return [float(drawn.random() < share(one)) for one in odds], gaps


def share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def test_a_side_that_wins_by_length_alone_is_one_half_at_equal_lengths() -> None:
    drawn = [sample(seed, skill=0.0, liking=2.5, longer=120) for seed in range(300)]
    assert min(sum(outcomes) / len(outcomes) for outcomes, _ in drawn) > 0.7
    found = [controlled(*one) for one in drawn]
    covered = sum(one is not None and one.low <= 0.5 <= one.high for one in found)
    assert covered / len(found) >= 0.93
    assert all(one is not None and one.slope_low > 0 for one in found)


def test_a_better_side_stays_better() -> None:
    found = controlled(*sample(2, skill=1.0, liking=0.0, longer=120))
    assert found is not None
    assert found.low > 0.5
    assert found.slope_low < 0 < found.slope_high


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    truth = share(0.5)
    found = [
        controlled(*sample(seed, skill=0.5, liking=0.0, longer=50, count=150))
        for seed in range(300)
    ]
    covered = sum(one is not None and one.low <= truth <= one.high for one in found)
    assert covered / len(found) >= 0.93


def test_winning_always_stays_finite_and_unsure() -> None:
    found = controlled([1.0] * 20, [10.0] * 20)
    assert found is not None
    assert 0.5 < found.value < found.high < 1


def test_equal_lengths_throughout_change_nothing() -> None:
    found = controlled([1.0, 0.0] * 20, [0.0] * 40)
    assert found is not None
    assert found.value == pytest.approx(0.5)


def test_too_few_outcomes_say_nothing() -> None:
    assert controlled([1.0] * (FEWEST - 1), [1.0] * (FEWEST - 1)) is None
