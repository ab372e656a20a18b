"""The Lambda functions of a run by many; `harness/jobs/state_machine.json` calls them in turn.

Environment: RUNS_BUCKET; TARGET_URLS, the only addresses that may be asked, separated by commas;
API_KEY_SECRET, the ARN in Secrets Manager of the key that asks them: the key itself, or a JSON
object of keys by the names of arms. Neither is ever part of an event.
"""

import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol, Self, TypeVar

import msgspec

from harness.errors import PlanError, WrongInput
from harness.jobs import steps, work
from harness.jobs.limits import LAMBDA
from harness.jobs.merge import merge
from harness.jobs.secret import api_key
from harness.jobs.store import Store, checked_run_id, store_at
from harness.plan import Plan, plan_of
from harness.promptsets.store import NAME, load

_MOST_BYTES: Final = 64 * 1024
_SHOWN: Final = 1_000
_Event = TypeVar("_Event", bound=msgspec.Struct)


class Context(Protocol):
    """Of Lambda's context object, what is used."""

    def get_remaining_time_in_millis(self) -> int: ...


class PlanEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plan: dict[str, object]
    """A `harness.plan.Plan`. Its promptset is loaded from `promptsets/<name>/v<N>/`."""
    answer_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """How long an answer takes, where a closed loop's arms may time out much later."""
    start_in_s: Annotated[float, msgspec.Meta(ge=0, le=300)] = LAMBDA.start_in_s


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    bucket: str
    shards_key: str
    shards: int
    start_at_ns: int


class ShardRecorded(msgspec.Struct, frozen=True, kw_only=True):
    shard: int
    recorded: int
    gave_up: bool


class MergeEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    run_id: str


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    verdict: str
    reason: str
    planned: int
    recorded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    bucket: str
    target_urls: frozenset[str]
    api_key_secret: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises WrongInput, naming the variable that is missing."""
        missing = [
            name for name in ("RUNS_BUCKET", "TARGET_URLS", "API_KEY_SECRET") if not env.get(name)
        ]
        if missing:
            raise WrongInput(f"environment: {', '.join(missing)} must be set")
        urls = (url.strip().rstrip("/") for url in env["TARGET_URLS"].split(","))
        return cls(
            bucket=env["RUNS_BUCKET"],
            target_urls=frozenset(filter(None, urls)),
            api_key_secret=env["API_KEY_SECRET"],
        )

    def run(self, run_id: str) -> Store:
        return store_at(f"s3://{self.bucket}/runs/{checked_run_id(run_id)}")


def plan_shards(event: object, _context: Context) -> dict[str, Any]:
    """Plan -> shards in S3, if the functions can do it in time."""
    settings = Settings.from_env(os.environ)
    asked = _parsed(event, PlanEvent)
    plan = plan_of(asked.plan)
    _check_targets(plan, settings.target_urls)
    ref = plan.promptset
    if not NAME.fullmatch(ref.name):
        raise PlanError(f"plan: promptset.name {ref.name[:80]!r} is no name of a promptset")
    promptset = load(f"s3://{settings.bucket}/promptsets/{ref.name}/v{ref.version}/", ref.version)
    tasks = steps.prepare(
        settings.run(plan.run_id),
        plan,
        promptset.select(ref),
        start_in_s=asked.start_in_s,
        limits=dataclasses.replace(LAMBDA, start_in_s=asked.start_in_s),
        answer_s=asked.answer_s,
    )
    return _typed(
        Planned(
            run_id=plan.run_id,
            bucket=settings.bucket,
            shards_key=f"runs/{plan.run_id}/{steps.SHARDS}",
            shards=len(tasks),
            start_at_ns=tasks[0].start_at_ns,
        )
    )


def run_shard(event: object, context: Context) -> dict[str, Any]:
    """One shard's requests, sent and recorded; what there is no time for is missing, and said."""
    settings = Settings.from_env(os.environ)
    task = _parsed(event, steps.Task)
    store = settings.run(task.run_id)
    plan = steps.plan_in(store)
    _check_targets(plan, settings.target_urls)
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - LAMBDA.writing_s
    done = work.run_shard(
        store,
        task,
        key=api_key(settings.api_key_secret),
        seconds_left=lambda: end - time.monotonic(),
    )
    recorded = done.aggregate.ledger.count
    return _typed(ShardRecorded(shard=done.shard, recorded=recorded, gave_up=done.gave_up))


def merge_run(event: object, _context: Context) -> dict[str, Any]:
    """All shards that finished, added up, and the verdict."""
    settings = Settings.from_env(os.environ)
    run_id = _parsed(event, MergeEvent).run_id
    summary = merge(settings.run(run_id))
    return _typed(
        Merged(
            run_id=run_id,
            verdict=summary.verdict,
            reason=summary.findings[0].reason[:_SHOWN],
            planned=summary.planned,
            recorded=summary.recorded,
        )
    )


def _parsed(event: object, kind: type[_Event]) -> _Event:
    """Raises WrongInput, naming the field, or the size."""
    try:
        if len(msgspec.json.encode(event)) > _MOST_BYTES:
            raise WrongInput(f"event: more than {_MOST_BYTES:,} bytes")
        return msgspec.convert(event, kind)
    except (msgspec.ValidationError, TypeError) as error:
        raise WrongInput(f"event: {error}") from None


def _check_targets(plan: Plan, allowed: frozenset[str]) -> None:
    """The key goes with every request, so who may be asked isn't for an event to say."""
    for arm in plan.arms:
        if arm.url.rstrip("/") not in allowed:
            raise PlanError(
                f"plan: arm {arm.name!r} asks {arm.url[:200]!r}, which is none of TARGET_URLS"
            )


def _typed(result: msgspec.Struct) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(result)
    return built
