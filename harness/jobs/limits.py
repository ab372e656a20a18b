"""What a function of ours can do, and plans that would ask more of it."""

import math
from dataclasses import dataclass
from typing import Final

from harness.errors import PlanError
from harness.jobs.shards import seconds_of
from harness.plan import Closed, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLimits:
    seconds: float = 900
    """Lambda's longest."""
    start_in_s: float = 60
    """From planning to the common start: by then every shard's function should be running."""
    writing_s: float = 30
    """Kept for writing records when the sending is over."""
    streams: int = 960
    """Lambda gives a function 1,024 file descriptors; some are the runtime's."""
    requests: int = 100_000
    """Of one shard: its records wait in 512 MB of temporary storage."""

    @property
    def for_requests_s(self) -> float:
        return self.seconds - self.start_in_s - self.writing_s


LAMBDA: Final = FunctionLimits()


def check(plan: Plan, planned: int, answer_s: float | None, limits: FunctionLimits) -> None:
    """Raises PlanError, with the numbers, where a shard could not end in time or hold its load."""
    needed = seconds_of(plan, planned, answer_s)
    if needed > limits.for_requests_s:
        raise PlanError(
            f"plan: a shard may need {needed:,.0f} s for its requests, and a function has "
            f"{limits.for_requests_s:,.0f} s ({limits.seconds:,.0f} s less "
            f"{limits.start_in_s:,.0f} to start and {limits.writing_s:,.0f} to write): "
            f"{_advice(plan, answer_s)}"
        )
    each = math.ceil(planned / plan.shards)
    if each > limits.requests:
        raise PlanError(
            f"plan: {each:,} requests a shard are more than {limits.requests:,}: "
            f"{math.ceil(planned / limits.requests):,} shards or more"
        )
    arrivals = plan.load.arrivals
    if isinstance(arrivals, Closed) and math.ceil(arrivals.concurrency / plan.shards) > (
        limits.streams
    ):
        raise PlanError(
            f"plan: {math.ceil(arrivals.concurrency / plan.shards):,} streams at once in a "
            f"function that can hold {limits.streams:,}: "
            f"{math.ceil(arrivals.concurrency / limits.streams):,} shards or more"
        )


def _advice(plan: Plan, answer_s: float | None) -> str:
    if isinstance(plan.load.arrivals, Closed) and answer_s is None:
        return (
            "fewer requests, more at once, a shorter timeout, or say how long an answer takes "
            "(--answer-s); without it the timeout is taken"
        )
    return "a shorter run, or several"
