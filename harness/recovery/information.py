"""How far two next-token distributions are apart, when only the tops of both are known.

An engine tells the probabilities of its k most probable tokens and of the token that was given. KL
divergence only shrinks when tokens are put together in cells (data-processing inequality; Cover and
Thomas, Elements of Information Theory, 2.8), provided that both distributions are cut into the same
cells. So, with P the reference and Q the other, the cells are

- one for each token that both tell,
- one for the j likeliest tokens that only P tells. What Q gives them together is not known, only
  limited: by j times the least of Q's k, and by what Q's told tokens leave,
- one for all the rest.

What is left unknown is set to whatever makes the divergence smallest. That holds for every j, so
the largest over j is still below the truth.
"""

import math
from collections.abc import Mapping
from typing import Final

from harness.recovery.observations import Position

ROUNDING: Final = 1e-6
"""Engines compute in float32: told probabilities sum to 1 within about this."""
_TINY: Final = 1e-300


def kl_at_least(reference: Position, other: Position, top: int) -> float:
    """A lower bound of KL(reference || other) in nats; `top` is how many ranks were asked for."""
    told_p, told_q = _told(reference), _told(other)
    common = told_p.keys() & told_q.keys()
    known = math.fsum(math.exp(told_p[token]) * (told_p[token] - told_q[token]) for token in common)
    p_rest = max(0.0, 1 - _mass(told_p))
    q_left = max(0.0, 1 - math.fsum(math.exp(told_q[token]) for token in common)) + ROUNDING
    q_untold = min(q_left, max(0.0, 1 - _mass(told_q)) + ROUNDING)
    least = _least_of_top(other, top)
    only_p = sorted((math.exp(told_p[t]) for t in told_p.keys() - common), reverse=True)
    best = _two_cells(0.0, p_rest + math.fsum(only_p), 0.0, q_left)
    for j in range(1, len(only_p) + 1):
        inside = math.fsum(only_p[:j])
        outside = p_rest + math.fsum(only_p[j:])
        best = max(best, _two_cells(inside, outside, min(j * least, q_untold), q_left))
    return max(0.0, known + best)


def most_probable(position: Position) -> int | None:
    """The token of rank 1; None where none is told."""
    return next(
        (token for token, rank in zip(position.ids, position.ranks, strict=True) if rank == 1), None
    )


def _two_cells(p_in: float, p_out: float, q_in_most: float, q_both: float) -> float:
    """The least divergence of the two cells, where Q gives both together `q_both`."""
    if p_in + p_out <= 0:
        return 0.0
    q_in = min(q_in_most, q_both * p_in / (p_in + p_out))
    return _term(p_in, q_in) + _term(p_out, q_both - q_in)


def _term(p: float, q: float) -> float:
    return p * math.log(p / max(q, _TINY)) if p > 0 else 0.0


def _told(position: Position) -> Mapping[int, float]:
    return dict(zip(position.ids, position.logprobs, strict=True))


def _mass(told: Mapping[int, float]) -> float:
    return math.fsum(map(math.exp, told.values()))


def _least_of_top(position: Position, top: int) -> float:
    """No token outside of the told ones is likelier than this.

    The given token may be told beyond the top; it says nothing about the others.
    """
    ranked = [
        logprob
        for logprob, rank in zip(position.logprobs, position.ranks, strict=True)
        if rank <= top
    ]
    return math.exp(min(ranked)) if len(ranked) >= top else 1.0
