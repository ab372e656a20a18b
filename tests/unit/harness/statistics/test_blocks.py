"""Latency shifts of interleaved pairs whose latencies follow one another."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm

from harness.statistics import means
from harness.statistics.blocks import BLOCKS, correlation_length, fewest, level, share, shift
from harness.statistics.proportions import wilson

Numbers = NDArray[np.float64]


def test_the_true_ratio_is_covered_although_latencies_are_correlated() -> None:
    draw = np.random.default_rng(1)
    runs, covered, answered, naive = 500, 0, 0, 0
    for _ in range(runs):
        old, new = (factor * np.exp(0.3 * _following(draw, 600)) for factor in (100, 110))
        found = shift(old.tolist(), new.tolist())
        independent = means.mean(np.log(new / old).tolist())
        assert independent is not None
        naive += not independent.excludes(np.log(1.1))
        if found is not None:
            answered += 1
            covered += not found.ratio.excludes(1.1)
    assert covered / answered >= 0.93
    assert answered / runs >= 0.95
    assert naive / runs < 0.6, "what ignores the correlation would be found out by this test"


def test_the_same_twice_is_told_different_rarely() -> None:
    draw = np.random.default_rng(4)
    runs, false = 300, 0
    for _ in range(runs):
        common = _following(draw, 300)
        old, new = (np.exp(0.3 * common + 0.1 * draw.normal(size=300)).tolist() for _ in range(2))
        found = shift(old, new)
        false += found is not None and found.difference.excludes(0)
    assert false / runs <= 0.07


def test_load_that_both_of_a_pair_share_cancels() -> None:
    draw = np.random.default_rng(8)
    load = np.exp(_following(draw, 300))
    found = shift((100 * load).tolist(), (80 * load).tolist())
    assert found is not None
    assert (found.ratio.value, found.ratio.low, found.ratio.high) == pytest.approx((0.8,) * 3)
    assert (found.pairs, found.blocks) == (300, BLOCKS)
    assert found.difference.high < 0


@pytest.mark.parametrize(("percentile", "count"), [(0.5, 600), (0.95, 2_000)])
def test_one_percentile_of_correlated_values_is_covered(percentile: float, count: int) -> None:
    draw = np.random.default_rng(5)
    truth = float(np.exp(0.3 * norm.ppf(percentile)))
    runs, covered = 400, 0
    for _ in range(runs):
        found = level(np.exp(0.3 * _following(draw, count)).tolist(), percentile)
        covered += found is None or not found.excludes(truth)
    assert covered / runs >= 0.93


@pytest.mark.parametrize(
    ("long", "stay", "percentile", "count"),
    [(0.52, None, 0.5, 300), (0.06, None, 0.95, 3_000), (0.06, 0.9, 0.95, 3_000)],
    ids=["prompts of two lengths", "a few slow ones", "slow phases"],
)
def test_a_percentile_between_two_modes_is_covered(
    long: float, stay: float | None, percentile: float, count: int
) -> None:
    """Blocks' percentiles fall on either mode, and are nothing like normally distributed."""
    draw = np.random.default_rng(11)
    truth = float(np.quantile(_two_modes(draw, 1_000_000, long, None), percentile))
    runs = 400
    found = [level(_two_modes(draw, count, long, stay).tolist(), percentile) for _ in range(runs)]
    covered = sum(one is not None and not one.excludes(truth) for one in found)
    too_short = sum(one is not None and one.high < truth for one in found)
    assert covered / runs >= 0.93
    assert too_short / runs <= 0.06


def test_pairs_between_two_modes_of_their_own_are_covered() -> None:
    draw = np.random.default_rng(12)
    runs, covered = 400, 0
    for _ in range(runs):
        old, new = (_two_modes(draw, 300, 0.52, None) for _ in range(2))
        found = shift(old.tolist(), (1.1 * new).tolist())
        covered += found is not None and not found.ratio.excludes(1.1)
    assert covered / runs >= 0.93


@pytest.mark.parametrize("tie", [0, 0.5, 0.9])
def test_a_share_of_requests_that_fare_alike_is_covered(tie: float) -> None:
    """0.9 is kept by 89 %: it is passed as rarely as an interval may miss."""
    draw = np.random.default_rng(13)
    runs, covered, passed, naive = 500, 0, 0, 0
    for _ in range(runs):
        held = (_following(draw, 1_000, tie) < norm.ppf(0.89)).tolist()
        found = share(held)
        covered += found.low <= 0.89 <= found.high
        passed += found.low >= 0.9
        naive += wilson(sum(held), len(held)).low >= 0.9
    assert covered / runs >= 0.93
    assert passed / runs <= 0.035
    assert tie < 0.9 or naive / runs > 0.15, "what ignores the correlation would be found out"


def test_a_share_that_is_even_is_wilsons_and_all_or_none_too() -> None:
    for held in ([True] * 1_000, [False] * 1_000, [True, True, False] * 400, [True] * 20):
        found, alone = share(held), wilson(sum(held), len(held))
        assert (found.count, found.of, found.value) == (alone.count, alone.of, alone.value)
        assert (found.low, found.high) == (alone.low, alone.high)


def test_of_a_share_that_changes_once_nothing_is_known() -> None:
    found = share([False] * 300 + [True] * 60)
    assert (found.low, found.high) == (0, 1)


def test_few_requests_are_taken_as_independent() -> None:
    held = [True] * 40 + [False] * 19
    assert share(held) == wilson(40, 59)


def test_a_percentile_that_most_blocks_never_reach_is_infinite() -> None:
    """Of 3,000 values 13 % are infinite, of the first block none."""
    values = np.random.default_rng(2).exponential(size=3_000) + 1
    values[np.random.default_rng(3).permutation(np.arange(500, 3_000))[:390]] = np.inf
    found = level(values.tolist(), 0.9)
    assert found is not None
    assert (found.value, found.high) == (np.inf, np.inf)
    assert found.low == np.sort(values[:500])[449]
    median = level(values.tolist(), 0.5)
    assert median is not None
    assert np.isfinite([median.low, median.value, median.high]).all()


def test_of_infinite_values_alone_every_percentile_is_infinite() -> None:
    found = level([np.inf] * 300, 0.5)
    assert found is not None
    assert (found.low, found.value, found.high) == (np.inf,) * 3


def test_too_few_values_have_no_level() -> None:
    assert level([1.0, 2.0] * 20, 0.5) is None


@pytest.mark.parametrize(("percentile", "pairs"), [(0.5, 60), (0.95, 600)])
def test_a_percentile_needs_pairs_beyond_it_in_every_block(percentile: float, pairs: int) -> None:
    values = np.random.default_rng(1).exponential(size=(2, pairs)) + 1
    assert fewest(percentile) == pairs
    old, new = values.tolist()
    assert shift(old, new, percentile) is not None
    assert shift(old[1:], new[1:], percentile) is None


def test_a_drift_longer_than_a_block_is_not_judged() -> None:
    falling = np.linspace(0, 5, 60)
    assert shift((10 - falling).tolist(), (10 + falling).tolist()) is None


def test_correlation_lasts_as_long_as_theory_says() -> None:
    """(1 + 0.9) / (1 - 0.9) = 19."""
    assert correlation_length(_following(np.random.default_rng(6), 50_000)) == pytest.approx(
        19, rel=0.2
    )
    assert correlation_length(np.ones(50)) == 1


def test_values_that_can_not_be_pairs_of_latencies_are_refused() -> None:
    with pytest.raises(ValueError, match="paired with 1"):
        shift([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="above 0"):
        shift([1.0, 0.0], [1.0, 1.0])


def _following(draw: np.random.Generator, count: int, tie: float = 0.9) -> Numbers:
    """Each is `tie` times the last one, and noise; standard normal in the end."""
    noise = draw.normal(size=count + 100)
    values: Numbers = lfilter([np.sqrt(1 - tie**2)], [1, -tie], noise)
    return values[100:]


def _two_modes(draw: np.random.Generator, count: int, long: float, stay: float | None) -> Numbers:
    """Around 100 ms, and a share around 1,000. `stay`: a long one follows a long one so often."""
    late = draw.random(count) < long
    if stay is not None:
        leave = {True: 1 - stay, False: (1 - stay) * long / (1 - long)}
        now = bool(late[0])
        for place, drawn in enumerate(draw.random(count).tolist()):
            now ^= drawn < leave[now]
            late[place] = now
    spread: Numbers = np.exp(0.1 * draw.normal(size=count))
    return np.where(late, 1_000.0, 100.0) * spread
