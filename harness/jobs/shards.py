"""A plan cut into shards: which requests each sends, and whether it can be done in time.

Pure: every shard computes its own part from the plan, so nothing but a number is handed to it.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from harness.errors import PlanError
from harness.load.schedule import NS_PER_S, planned_at
from harness.plan import Closed, Plan

MOST_SHARDS: Final = 1_000
"""Lambda's concurrent executions of an account, unless its quota was raised."""


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """The requests whose items fall into slots `first` to `stop` of every `period` items.

    In an open loop every shard has one slot of as many as there are shards, so each sends at its
    part of the rate all the time. In a closed loop a slot is one of the plan's concurrent callers.
    """

    number: int
    period: int
    first: int
    stop: int
    width: int
    """Requests of one item: one for each arm. They stay in one shard, for they are compared."""

    def indices(self, planned: int) -> Iterator[int]:
        """Of `planned` requests those that this shard sends, in order."""
        slots = range(self.first, self.stop)
        items = -(-planned // self.width)
        for start in range(0, items, self.period):
            for slot in slots:
                first = (start + slot) * self.width
                yield from range(first, min(first + self.width, planned))


def cut(plan: Plan, planned: int | None) -> tuple[Shard, ...]:
    """`plan.shards` shards that together send each planned request once.

    Raises PlanError where the plan can't be cut, or not into so many.
    """
    if planned is None:
        raise PlanError(
            "plan: a closed loop for a duration can't be cut into shards, for nobody knows "
            "beforehand how many requests it will make: give load.count instead of duration_s"
        )
    if planned <= plan.first_measured:
        raise PlanError(
            f"plan: a warm-up of {plan.first_measured:,} leaves nothing of {planned:,} requests to "
            "measure"
        )
    if plan.shards > MOST_SHARDS:
        raise PlanError(f"plan: {plan.shards:,} shards are more than {MOST_SHARDS:,}")
    width = len(plan.arms)
    period = _period(plan)
    items = -(-planned // width)
    if plan.shards > items:
        raise PlanError(f"plan: {plan.shards:,} shards are more than its {items:,} items")
    edges = [period * number // plan.shards for number in range(plan.shards + 1)]
    return tuple(
        Shard(number=number, period=period, first=first, stop=stop, width=width)
        for number, (first, stop) in enumerate(itertools.pairwise(edges))
    )


def part_of(plan: Plan, shard: Shard) -> Plan:
    """The plan as this shard carries it out: its part of what happens at once."""
    load = plan.load
    arrivals = load.arrivals
    if isinstance(arrivals, Closed):
        arrivals = replace(arrivals, concurrency=shard.stop - shard.first)
    most = max(1, load.max_in_flight // plan.shards)
    return replace(plan, load=replace(load, arrivals=arrivals, max_in_flight=most))


def seconds_of(plan: Plan, planned: int, answer_s: float | None = None) -> float:
    """How long the sending and answering takes at most, by the plan.

    In a closed loop the next request waits for an answer: `answer_s`, or as long as the arms'
    timeouts allow. The last ones always get their timeout.
    """
    longest = max(arm.timeout_s for arm in plan.arms)
    if isinstance(plan.load.arrivals, Closed):
        rounds = math.ceil(planned / plan.load.arrivals.concurrency)
        return (rounds - 1) * (longest if answer_s is None else answer_s) + longest
    last = planned_at(plan.load, plan.seed, len(plan.arms))
    return (last(planned - 1) if last else 0) / NS_PER_S + longest


def _period(plan: Plan) -> int:
    arrivals = plan.load.arrivals
    if not isinstance(arrivals, Closed):
        return plan.shards
    if arrivals.concurrency < plan.shards:
        raise PlanError(
            f"plan: a concurrency of {arrivals.concurrency:,} can't be shared by "
            f"{plan.shards:,} shards: at least one each"
        )
    return arrivals.concurrency
