"""The three steps of a run by many: prepare it, run a shard, merge. A store carries everything.

Each may be tried again: a prepared run stays as it was prepared, a shard that is finished is told
again instead of sent again, and merging adds up what is there.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from harness import plan as plans
from harness.errors import AbsentError, PlanError, StoreError
from harness.jobs.limits import FunctionLimits, check
from harness.jobs.shards import Shard, cut, part_of
from harness.jobs.store import Store, checked_run_id
from harness.load.items import Items
from harness.plan import Plan
from harness.promptsets import rows as row_codec
from harness.promptsets.rows import Row

PROMPTS: Final = "prompts.jsonl"
SHARDS: Final = "shards.json"
"""What Step Functions' map reads: one `Task` a shard."""
_NS_PER_S: Final = 1_000_000_000

Clock = Callable[[], int]
"""Nanoseconds since 1970, the same for all shards of a run."""


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is handed to a shard's process; all else it reads from the store."""

    run_id: str
    shard: int
    start_at_ns: int
    """The run's time begins here, for every shard."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A shard's part of a run, as read from its store."""

    whole: Plan
    plan: Plan
    rows: tuple[Row, ...]
    shard: Shard
    planned: int


def prepare(
    store: Store,
    plan: Plan,
    rows: Sequence[Row],
    *,
    start_in_s: float,
    limits: FunctionLimits | None = None,
    answer_s: float | None = None,
    clock: Clock = time.time_ns,
) -> tuple[Task, ...]:
    """Writes plan, rows and tasks, in that order, and only if all can be done.

    Raises PlanError where the plan can't be cut or would not end in time, or where the run was
    prepared with another plan already.
    """
    checked_run_id(plan.run_id)
    planned = Items(plan, rows).planned
    shards = cut(plan, planned)
    if limits and planned is not None:
        check(plan, planned, answer_s, limits)
    if not store.put_new(plans.FILE, pretty(plan)) and plan_in(store) != plan:
        raise PlanError(f"{store.where} was planned otherwise already: take another run id")
    store.put_new(PROMPTS, row_codec.encoded(tuple(rows)))
    start_at_ns = clock() + int(start_in_s * _NS_PER_S)
    tasks = [
        Task(run_id=plan.run_id, shard=shard.number, start_at_ns=start_at_ns) for shard in shards
    ]
    store.put_new(SHARDS, msgspec.json.encode(tasks))
    return tasks_in(store)


def plan_in(store: Store) -> Plan:
    """Raises StoreError where there is none, PlanError where it is none."""
    try:
        document = msgspec.json.decode(store.get(plans.FILE))
    except AbsentError as error:
        raise StoreError(f"{error}: no run was planned here") from None
    except msgspec.DecodeError as error:
        raise StoreError(f"{store.where}/{plans.FILE}: {error}") from None
    return plans.plan_of(document)


def rows_in(store: Store) -> tuple[Row, ...]:
    try:
        return tuple(msgspec.json.Decoder(Row).decode_lines(store.get(PROMPTS)))
    except msgspec.DecodeError as error:
        raise StoreError(f"{store.where}/{PROMPTS}: {error}") from None


def tasks_in(store: Store) -> tuple[Task, ...]:
    try:
        return tuple(msgspec.json.decode(store.get(SHARDS), type=list[Task]))
    except msgspec.DecodeError as error:
        raise StoreError(f"{store.where}/{SHARDS}: {error}") from None


def work_of(store: Store, number: int) -> Work:
    """Raises PlanError for a shard that the plan doesn't have."""
    whole, rows = plan_in(store), rows_in(store)
    planned = Items(whole, rows).planned
    shards = cut(whole, planned)
    if planned is None or not 0 <= number < len(shards):
        raise PlanError(f"{store.where} has shards 0 to {len(shards) - 1}, not {number}")
    shard = shards[number]
    return Work(whole=whole, plan=part_of(whole, shard), rows=rows, shard=shard, planned=planned)


def keys_for(plan: Plan, key: str | Mapping[str, str]) -> dict[str, str]:
    """A key for each arm: the same, or by the arm's name. Raises PlanError where one is missing."""
    if isinstance(key, str):
        return {arm.name: key for arm in plan.arms}
    missing = [arm.name for arm in plan.arms if arm.name not in key]
    if missing:
        raise PlanError(f"there is no API key for {', '.join(missing)}")
    return {arm.name: key[arm.name] for arm in plan.arms}


def pretty(document: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
