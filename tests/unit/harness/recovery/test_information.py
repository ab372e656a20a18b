"""What the tops of two distributions prove about their divergence is never more than the truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.recovery.information import ROUNDING, kl_at_least, most_probable
from harness.recovery.observations import Position

Distribution = NDArray[np.float64]
SLACK = 1e-9


def told(distribution: Distribution, top: int, given_token: int) -> Position:
    """As an engine tells it: the given token, and the `top` most probable ones."""
    order = np.argsort(-distribution, kind="stable")
    rank = {int(token): place for place, token in enumerate(order, start=1)}
    tokens = list(dict.fromkeys([given_token, *map(int, order[:top])]))
    return Position(
        ids=tuple(tokens),
        logprobs=tuple(math.log(distribution[token]) for token in tokens),
        ranks=tuple(rank[token] for token in tokens),
    )


def exact(p: Distribution, q: Distribution) -> float:
    return float(np.sum(p * np.log(p / q)))


def softmax(logits: Distribution) -> Distribution:
    raised = np.exp(logits - np.max(logits))
    out = np.maximum(raised / np.sum(raised), 1e-30)
    return np.asarray(out / np.sum(out))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Distribution, Distribution, int, int]:
    """Two distributions, alike or not, how much is told of them, and the token that was given."""
    size = draw(st.integers(2, 200))
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    sharp, noise = draw(st.floats(0, 12)), draw(st.sampled_from([0.0, 1e-3, 0.1, 1.0, 10.0]))
    logits = dice.normal(size=size) * sharp
    p, q = softmax(logits), softmax(logits + dice.normal(size=size) * noise)
    if draw(st.booleans()):
        q = q[dice.permutation(size)]
    return p, q, draw(st.integers(1, 20)), draw(st.integers(0, size - 1))


@given(pairs())
def test_the_bound_is_never_above_the_truth(
    case: tuple[Distribution, Distribution, int, int],
) -> None:
    p, q, top, given_token = case
    bound = kl_at_least(told(p, top, given_token), told(q, top, given_token), top)

    assert 0 <= bound <= exact(p, q) * (1 + SLACK) + SLACK


@given(pairs())
def test_a_distribution_is_no_way_from_itself(
    case: tuple[Distribution, Distribution, int, int],
) -> None:
    p, _, top, given_token = case
    one = told(p, top, given_token)

    assert kl_at_least(one, one, top) == 0


@given(pairs())
def test_where_everything_is_told_the_bound_is_the_truth(
    case: tuple[Distribution, Distribution, int, int],
) -> None:
    p, q, _, given_token = case
    size = len(p)
    bound = kl_at_least(told(p, size, given_token), told(q, size, given_token), size)

    assert bound == pytest.approx(exact(p, q), rel=1e-6, abs=1e-6)


def test_two_certain_models_that_share_no_token_are_far_apart() -> None:
    """Though no probability is told of any token by both."""
    sure = 0.99
    size, top = 1_000, 5
    p, q = np.full(size, (1 - sure) / (size - 1)), np.full(size, (1 - sure) / (size - 1))
    p[0], q[1] = sure, sure
    p[2:6] *= 1.5
    q[10:14] *= 1.5
    p, q = p / p.sum(), q / q.sum()

    bound = kl_at_least(told(p, top, 0), told(q, top, 1), top)

    assert 0.9 * exact(p, q) < bound <= exact(p, q)


def test_a_tail_that_moved_is_seen_as_one_cell() -> None:
    """Of the two tails no token is told, only what they sum to."""
    p = np.array([0.6, *[0.1] * 4])
    q = np.array([0.9, *[0.025] * 4])

    bound = kl_at_least(told(p, 1, 0), told(q, 1, 0), 1)

    assert bound == pytest.approx(0.6 * math.log(0.6 / 0.9) + 0.4 * math.log(0.4 / 0.1), abs=1e-5)


def test_a_token_that_the_engine_rules_out_is_a_huge_divergence_and_no_error() -> None:
    p = Position(ids=(1, 2), logprobs=(math.log(0.5), math.log(0.5)), ranks=(1, 2))
    q = Position(ids=(1, 2), logprobs=(0.0, -9999.0), ranks=(1, 2))

    assert kl_at_least(p, q, 2) > 1_000


def test_probabilities_that_sum_to_a_little_more_than_one_are_taken() -> None:
    over = math.log(0.5 + ROUNDING / 4)
    one = Position(ids=(1, 2), logprobs=(over, over), ranks=(1, 2))

    assert kl_at_least(one, one, 2) == 0


def test_the_most_probable_token_is_that_of_rank_one() -> None:
    assert most_probable(Position(ids=(7, 3), logprobs=(-4.0, -0.1), ranks=(9, 1))) == 3
    assert most_probable(Position(ids=(), logprobs=(), ranks=())) is None
