"""Runs a plan's load: sends every planned request once and hands over a record of each.

One thread, one event loop, and no task per request: callbacks carry an exchange from its planned
time to its record.
"""

import asyncio
import gc
import itertools
import resource
from bisect import bisect_left
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from time import monotonic_ns
from typing import Any, Final, TypeVar

import msgspec
import uvloop

from harness.load.address import resolve
from harness.load.client import LEAST_SPARE, Client
from harness.load.health import Monitor, Pulse
from harness.load.items import Items
from harness.load.loops import ClosedLoop, Loop, OpenLoop
from harness.load.pacing import Timers, timers_of
from harness.load.requests import Requests
from harness.load.schedule import NS_PER_S, PlannedAt
from harness.load.sender import Sender
from harness.load.stamped import Rounds, rounds_of
from harness.plan import Arm, Closed, Plan
from harness.promptsets.rows import Row
from harness.records import Record

_LEAD_NS: Final = 5_000_000
"""For what is due at the very begin to be ready by then."""
_SOON_NS: Final = 200_000_000
_CONNECTIONS_MAX: Final = 1000
_Result = TypeVar("_Result")


class Driven(msgspec.Struct, frozen=True, kw_only=True):
    planned: int
    """How many requests the whole run has, those of other shards and earlier segments too."""
    health: list[Pulse] = []


def run_loop(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run it to its end, on the event loop that the load is made for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return uvloop.run(main)


async def drive(  # one call from outside, all by name
    plan: Plan,
    rows: Sequence[Row],
    *,
    keys: Mapping[str, str],
    sink: Callable[[Record], None],
    todo: Iterable[int] | None = None,
    begin_ns: int = 0,
    pulse: Callable[[Pulse], None] | None = None,
) -> Driven:
    """Send what the plan says, or of it only `todo`, in ascending order.

    `keys` are by arm. `begin_ns` is where the run's own time stands now: times go on from there,
    and what a resumed open loop should have sent before is planned anew, in the same rhythm.
    Cancelled, it stops at once; every request that was over by then has gone to the sink, and
    those in flight are as if they had never been sent. What the sink raises ends the run.

    Raises PlanError, before anything is sent.
    """
    items = Items(plan, rows)
    health: list[Pulse] = []

    def beat(one: Pulse) -> None:
        health.append(one)
        if pulse is not None:
            pulse(one)
        gc.collect(0)

    event_loop = asyncio.get_running_loop()
    timers = timers_of(event_loop)
    rounds = rounds_of(event_loop, timers)
    try:
        async with _clients(plan.arms, timers, rounds) as clients:
            requests = {
                arm.name: Requests(plan, arm, clients[arm.name].host, keys.get(arm.name))
                for arm in plan.arms
            }
            for client in clients.values():
                await client.prepared(_connections_at_first(plan, items))
            with _without_garbage_collection():
                origin_ns = monotonic_ns() + _LEAD_NS - begin_ns
                sender = Sender(items, clients, requests, origin_ns, sink)
                loop = _loop(plan, items, sender, timers, _indices(items, todo), begin_ns)
                with _failing_with(event_loop, sender), _monitored(timers, sender, beat):
                    timers.at(origin_ns + begin_ns, loop.start)
                    await sender.ended
    finally:
        timers.close()
        if rounds is not None:
            rounds.close()
    return Driven(planned=items.planned or loop.next_index, health=health)


@asynccontextmanager
async def _clients(
    arms: Sequence[Arm], timers: Timers, rounds: Rounds | None
) -> AsyncIterator[dict[str, Client]]:
    clients = {
        arm.name: Client(
            await resolve(arm.url),
            arm.timeout_s,
            timers,
            rounds if arm.stream else None,  # a whole answer is read once: it need not wait
        )
        for arm in arms
    }
    try:
        yield clients
    finally:
        for client in clients.values():
            await client.close()


def _indices(items: Items, todo: Iterable[int] | None) -> Iterator[int]:
    if todo is not None:
        return iter(todo)
    return itertools.count() if items.planned is None else iter(range(items.planned))


def _connections_at_first(plan: Plan, items: Items) -> int:
    """What the load's begin needs, so that no request waits for a connection."""
    load = plan.load
    if isinstance(load.arrivals, Closed):
        return min(load.arrivals.concurrency, load.count or load.arrivals.concurrency)
    if items.planned_at is None:
        return 0
    soon = bisect_left(range(_CONNECTIONS_MAX), _SOON_NS, key=items.planned_at)
    return min(max(soon, LEAST_SPARE), load.max_in_flight)


def _loop(  # what a loop consists of
    plan: Plan,
    items: Items,
    sender: Sender,
    timers: Timers,
    indices: Iterator[int],
    begin_ns: int,
) -> Loop:
    load = plan.load
    if isinstance(load.arrivals, Closed):
        end_ns = None
        if load.duration_s is not None:
            end_ns = sender.origin_ns + round(load.duration_s * NS_PER_S)
        return ClosedLoop(
            sender, timers, indices, load.arrivals.concurrency, end_ns, len(plan.arms)
        )
    if items.planned_at is None:
        raise RuntimeError("an open loop has planned times")
    times, indices = _from(items.planned_at, indices, begin_ns)
    return OpenLoop(sender, timers, indices, times, load.max_in_flight)


def _from(
    times: PlannedAt, indices: Iterator[int], begin_ns: int
) -> tuple[PlannedAt, Iterator[int]]:
    """The times, put off so that the first is not before the begin."""
    first = next(indices, None)
    if first is None:
        return times, iter(())
    put_off = max(0, begin_ns - times(first))
    return lambda index: times(index) + put_off, itertools.chain((first,), indices)


@contextmanager
def _failing_with(event_loop: asyncio.AbstractEventLoop, sender: Sender) -> Iterator[None]:
    """What comes up within a callback ends the run: an event loop would log it and wait on."""

    def told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "handle" in context and isinstance(error, Exception):
            sender.end(error)
        else:
            loop.default_exception_handler(context)

    before = event_loop.get_exception_handler()
    event_loop.set_exception_handler(told)
    try:
        yield
    finally:
        event_loop.set_exception_handler(before)


@contextmanager
def _monitored(timers: Timers, sender: Sender, beat: Callable[[Pulse], None]) -> Iterator[None]:
    monitor = Monitor(timers, sender, beat)
    try:
        yield
    finally:
        monitor.tell()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """What lives already is not walked through; young garbage goes with each pulse."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
