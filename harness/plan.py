"""What a run will do, fixed before its first request and kept beside its records.

A plan is data: together with its promptset it says for every planned request `i` which arm is asked
which row, when, and with which seed. So a run can be resumed, cut into shards, and repeated.
"""

from typing import Annotated, Final

import msgspec

from harness.errors import PlanError

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
"""A rate, seconds or milliseconds; never infinite, so that a plan can be written and read."""
Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of a plan are: immutable, and strict about what they are made from."""


class Closed(_Data, frozen=True, kw_only=True, tag="closed"):
    """As many at once as `concurrency`; the next is sent when one is answered."""

    concurrency: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class Constant(_Data, frozen=True, kw_only=True, tag="constant"):
    """One every `1 / rate` seconds, answered or not."""

    rate: Positive


class Poisson(_Data, frozen=True, kw_only=True, tag="poisson"):
    """Independent arrivals, `rate` a second on average."""

    rate: Positive


class Ramp(_Data, frozen=True, kw_only=True, tag="ramp"):
    """The rate goes in a straight line from one to the other over the duration."""

    from_rate: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    to_rate: Positive


class Burst(_Data, frozen=True, kw_only=True, tag="burst"):
    """`size` at once, then nothing until `every_s` seconds later."""

    size: Count
    every_s: Positive


class Steps(_Data, frozen=True, kw_only=True, tag="steps"):
    """Each rate for an equal part of the duration."""

    rates: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]


Arrivals = Closed | Constant | Poisson | Ramp | Burst | Steps


class Load(_Data, frozen=True, kw_only=True):
    """When requests are sent, and how many: `count`, or for `duration_s`."""

    arrivals: Arrivals
    count: Count | None = None
    duration_s: Positive | None = None
    warmup: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The first so many requests are sent and recorded, and left out of every figure. Their rows
    are drawn apart, so that those measured begin with each row once."""
    max_in_flight: Count = 20_000
    """An open loop that would go beyond sends nothing more, and makes the run INVALID."""


class Arm(_Data, frozen=True, kw_only=True):
    """Who is asked. Two arms are asked the same items in pairs, in an order drawn per pair."""

    name: str
    url: str
    """Without the API's path: `http://127.0.0.1:8000`, `https://api.example.com/prod`."""
    api: str = "chat"
    """A kind of `harness.load.apis.APIS`."""
    model: str
    """A team, `team/variant`, or the name that an engine serves."""
    stream: bool = False
    timeout_s: Positive = 120.0
    """From the sending of a request to the end of its answer."""


class Generation(_Data, frozen=True, kw_only=True):
    """How answers are to be generated, where a row doesn't say."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    max_tokens: Count | None = None
    """Instead of each row's own."""
    seeded: bool = True
    """Send a seed drawn per item, the same for both arms."""
    unique_prefix: bool = False
    """Begin every prompt with a number of its own, so that no prefix is found in a cache."""
    extra: dict[str, object] = {}
    """Further fields of the request, e.g. `{"ignore_eos": true}`; none that a plan sets itself."""


class Slo(_Data, frozen=True, kw_only=True):
    """Objectives that a good request meets together, in milliseconds; what is None isn't asked."""

    ttft_ms: Positive | None = None
    tpot_ms: Positive | None = None
    latency_ms: Positive | None = None


class Expectations(_Data, frozen=True, kw_only=True):
    """What makes a run PASS or FAIL."""

    min_pass_rate: Share | None = None
    """Of the rows' checks. None: answers are not checked."""
    max_error_rate: Share = 0.01
    min_goodput: Share | None = None
    """Share of requests that meet the SLO."""


class Validity(_Data, frozen=True, kw_only=True):
    """Beyond these the client, or a cache, was measured instead of the server: INVALID."""

    dispatch_lag_p99_ms: Positive = 2.0
    """Sent after planned, in an open loop."""
    loop_lag_p99_ms: Positive | None = 20.0
    """How late the client's event loop is. None: it is told, and held against the run only where
    the run has an SLO."""
    cpu_share: Share = 0.9
    """CPU time over wall time of the client's thread, while it ran."""
    prefix_reuse: Share = 1.0
    """Prompt tokens found in the engine's prefix cache, over prompt tokens."""


class PromptsetRef(_Data, frozen=True, kw_only=True):
    name: str
    version: Count
    sha256: str
    split: str = ""
    """Only rows of this split, where one is named; likewise the others."""
    categories: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()


class Plan(_Data, frozen=True, kw_only=True):
    run_id: str
    kind: str
    """The command that made it: `run`, `benchmark`, `compare`, …"""
    created: str
    """UTC, ISO 8601."""
    harness_version: str
    promptset: PromptsetRef
    arms: Annotated[tuple[Arm, ...], msgspec.Meta(min_length=1, max_length=2)]
    load: Load
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    generation: Generation = Generation()
    slo: Slo = Slo()
    expect: Expectations = Expectations()
    validity: Validity = Validity()
    shards: Count = 1

    @property
    def first_measured(self) -> int:
        """The index at which warm-up is over. Where it would end between two arms' requests of one
        item, that item is no pair, and belongs to it.
        """
        return -(-self.load.warmup // len(self.arms)) * len(self.arms)


FILE: Final = "plan.json"
_ROWS: Final = "a promptset with other rows"
_LIMIT: Final = "generation.max_tokens"
_INSTEAD: Final = {
    "model": "the arm's model",
    "messages": _ROWS,
    "prompt": _ROWS,
    "stream": "the arm's stream",
    "stream_options": "the arm's stream, which always asks for the usage",
    "max_tokens": _LIMIT,
    "max_completion_tokens": _LIMIT,
    "temperature": "generation.temperature",
    "seed": "the plan's seed and generation.seeded",
    "n": "--repeat, for only the first answer is read",
}
"""What a plan sets itself: written twice, it would say one thing and ask another."""


def plan_of(document: object) -> Plan:
    """The plan that a JSON-like document holds.

    Raises PlanError, naming the field and what is allowed.
    """
    try:
        plan = msgspec.convert(document, Plan)
    except msgspec.ValidationError as error:
        raise PlanError(f"plan: {error}") from None
    load = plan.load
    needs_duration = isinstance(load.arrivals, Ramp | Steps)
    if needs_duration and load.duration_s is None:
        raise PlanError("plan: load.duration_s is missing: a ramp and steps are drawn over it")
    if (load.count is None) == (load.duration_s is None):
        raise PlanError("plan: load takes either count or duration_s")
    if not _is_json(plan.generation.extra):
        raise PlanError("plan: generation.extra holds a date or a number that JSON doesn't have")
    for field in plan.generation.extra:
        if field in _INSTEAD:
            raise PlanError(f"plan: generation.extra holds {field!r}: use {_INSTEAD[field]}")
    return plan


def _is_json(value: object) -> bool:
    """Comes back from JSON as it is: plan and requests are written in it."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) == value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
