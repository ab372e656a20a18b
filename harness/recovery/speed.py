"""Times of arms that took turns."""

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from harness.recovery.observations import Batch, Timed
from harness.recovery.results import Speed, Timing
from harness.statistics.blocks import shift
from harness.statistics.interval import Interval
from harness.statistics.means import mean

_MS: Final = 1e6
_S: Final = 1e9
_LEAST_NS: Final = 1_000.0
"""What noise makes of a token's time may be below nothing."""


def per_token_ns(timed: Timed) -> float:
    """A token's time after the first, from a long answer and one of a single token."""
    return max(_LEAST_NS, (timed.whole_ns - timed.first_ns) / (timed.tokens - 1))


def tokens_per_s(batch: Batch) -> float:
    return batch.tokens / batch.ns * _S


def timing(timed: Sequence[Timed], batches: Sequence[Batch]) -> Timing | None:
    """None where nothing was timed."""
    if not timed:
        return None
    return Timing(
        first_token_ms=median(one.first_ns for one in timed) / _MS,
        per_token_ms=median(map(per_token_ns, timed)) / _MS,
        latency_ms=median(one.whole_ns for one in timed) / _MS,
        tokens_per_s=median(map(tokens_per_s, batches)) if batches else None,
    )


def speed(
    timed: tuple[Sequence[Timed], Sequence[Timed]], batches: tuple[Sequence[Batch], Sequence[Batch]]
) -> Speed | None:
    """Each of reference and other; turns that only one of them has are left out."""
    in_turn = {one.turn: one for one in timed[1]}
    pairs = [(one, in_turn[one.turn]) for one in timed[0] if one.turn in in_turn]
    if not pairs:
        return None

    def ratio(figure: Callable[[Timed], float]) -> Interval | None:
        found = shift([figure(one) for one, _ in pairs], [figure(other) for _, other in pairs])
        return None if found is None else found.ratio

    return Speed(
        turns=len(pairs),
        first_token=ratio(lambda one: one.first_ns),
        per_token=ratio(per_token_ns),
        latency=ratio(lambda one: one.whole_ns),
        throughput=_throughput(*batches),
    )


def _throughput(reference: Sequence[Batch], other: Sequence[Batch]) -> Interval | None:
    """By logarithms: a ratio and its inverse are the same evidence."""
    in_turn = {one.turn: tokens_per_s(one) for one in other}
    logs = mean(
        [
            math.log(in_turn[one.turn] / tokens_per_s(one))
            for one in reference
            if one.turn in in_turn
        ]
    )
    if logs is None:
        return None
    return Interval(value=math.exp(logs.value), low=math.exp(logs.low), high=math.exp(logs.high))
