"""When each request of an open loop is to be sent: planned times as pure functions of the index.

Nothing depends on what was sent before, so every shard, and a run that is resumed, computes the
same times. Times are whole nanoseconds from the run's begin and never decrease.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache, singledispatch
from itertools import accumulate
from random import Random
from typing import Final

from harness.draws import words
from harness.errors import PlanError
from harness.plan import Burst, Closed, Constant, Load, Poisson, Ramp, Steps

NS_PER_S: Final = 1_000_000_000
NEVER: Final = 2**63 - 1
"""Of an index that a ramp or the last step doesn't reach."""
_BLOCK: Final = 1024
MOST_REQUESTS: Final = 100_000_000
"""Of one run: what a disk can hold, and what can be counted before it begins."""
_LONGEST_NS: Final = 10**9 * NS_PER_S

PlannedAt = Callable[[int], int]
"""Index -> nanoseconds from the run's begin."""


def planned_at(load: Load, seed: int, arms: int = 1) -> PlannedAt | None:
    """None for a closed loop, where the answers decide.

    With two arms and a duration the last request may have no counterpart within it: that is sent
    at the same moment.
    """
    if isinstance(load.arrivals, Closed):
        return None
    duration_ns = None if load.duration_s is None else round(load.duration_s * NS_PER_S)
    times = _times(load.arrivals, duration_ns, seed)
    if duration_ns is None or arms == 1:
        return times
    last = _within(times, duration_ns) - 1
    return lambda index: times(min(index, last))


def planned_count(load: Load, seed: int, arms: int = 1) -> int | None:
    """How many requests there are; None for a closed loop that runs for a duration.

    By duration all arms are asked alike: the last pair is whole. Raises PlanError where there would
    be none, or more than can be sent or waited for.
    """
    times = planned_at(load, seed)
    if load.count is not None:
        _check_most(load.count)
        if times is not None and times(load.count - 1) > _LONGEST_NS:
            raise PlanError("plan: load.count would take more than 30 years at this rate")
        return load.count
    if times is None or load.duration_s is None:
        return None
    count = _within(times, round(load.duration_s * NS_PER_S))
    _check_most(count)
    if count < 1:
        raise PlanError(
            f"plan: no request falls within load.duration_s = {load.duration_s:g}: "
            "raise the rate or the duration"
        )
    return -(-count // arms) * arms


def _within(times: PlannedAt, end_ns: int) -> int:
    """How many are planned before the end; of more than can be sent, only that they are more."""
    highest = 1
    while highest <= MOST_REQUESTS and times(highest) < end_ns:
        highest *= 2
    return bisect_left(range(highest + 1), end_ns, key=times)


def _check_most(count: int) -> None:
    if count > MOST_REQUESTS:
        raise PlanError(
            f"plan: load asks for more than {MOST_REQUESTS:,} requests: a lower rate, "
            "a shorter duration, or a smaller count"
        )


@singledispatch
def _times(arrivals: object, duration_ns: int | None, seed: int) -> PlannedAt:
    raise NotImplementedError(type(arrivals))


@_times.register
def _constant(arrivals: Constant, _duration_ns: int | None, _seed: int) -> PlannedAt:
    above, below = float(arrivals.rate).as_integer_ratio()
    return lambda index: index * NS_PER_S * below // above


@_times.register
def _burst(arrivals: Burst, _duration_ns: int | None, _seed: int) -> PlannedAt:
    every_ns = round(arrivals.every_s * NS_PER_S)
    return lambda index: index // arrivals.size * every_ns


@_times.register
def _ramp(arrivals: Ramp, duration_ns: int, _seed: int) -> PlannedAt:
    """The time by which the line's integral reaches the index."""
    first = arrivals.from_rate
    slope = (arrivals.to_rate - first) / (duration_ns / NS_PER_S)

    def at(index: int) -> int:
        square = first * first + 2 * slope * index
        if square < 0:
            return NEVER
        if index == 0:
            return 0
        return round(2 * index / (first + math.sqrt(square)) * NS_PER_S)

    return at


@_times.register
def _steps(arrivals: Steps, duration_ns: int, _seed: int) -> PlannedAt:
    part_ns = duration_ns / len(arrivals.rates)
    sizes = [math.ceil(rate * part_ns / NS_PER_S) for rate in arrivals.rates]
    firsts = [0, *accumulate(sizes)]

    def at(index: int) -> int:
        step = bisect_left(firsts, index + 1) - 1
        if step >= len(sizes):
            return NEVER
        within_ns = (index - firsts[step]) / arrivals.rates[step] * NS_PER_S
        return round(step * part_ns + within_ns)

    return at


@_times.register
def _poisson(arrivals: Poisson, _duration_ns: int | None, seed: int) -> PlannedAt:
    """Blocks of arrivals: how long a block lasts is drawn first, then where within it they fall.

    The sum of n exponential gaps is gamma distributed and independent of their proportions, so
    this is a Poisson process, and a time far out costs a draw a block instead of one a request.
    """
    draw = words(seed, "arrivals")
    begins = [0.0]

    def dice(block: int) -> tuple[Random, float]:
        drawn = Random(draw(block))  # noqa: S311  # no secret
        return drawn, drawn.gammavariate(_BLOCK, 1)

    @lru_cache(maxsize=4)
    def inside(block: int) -> list[int]:
        while len(begins) <= block:
            begins.append(begins[-1] + dice(len(begins) - 1)[1])
        drawn, length = dice(block)
        sums = list(accumulate(drawn.expovariate(1) for _ in range(_BLOCK)))
        scale = length / sums[-1]
        unit = NS_PER_S / arrivals.rate
        return [round((begins[block] + so_far * scale) * unit) for so_far in sums]

    return lambda index: inside(index // _BLOCK)[index % _BLOCK]
