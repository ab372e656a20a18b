"""What was found: `recovery.json`. Everything is derived from plan, promptset and observations."""

from typing import Final

import msgspec

from harness.recovery.plan import RecoveryPlan
from harness.statistics.interval import Interval
from harness.summary import Rate
from harness.verdict import Finding, Verdict

FILE: Final = "recovery.json"


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The same rows, graded by their checks; an answer that never came did not pass."""

    rows: int
    reference: Rate
    other: Rate
    recovery: Interval | None
    """The other's pass rate over the reference's (Nam and Blackwelder); None where that is 0."""
    difference: Interval
    """Other minus reference (Tango)."""
    lost: tuple[str, ...]
    """Rows that the reference passes and the other fails, by prompt_id."""
    gained: tuple[str, ...]
    p_value: float
    """Exact McNemar, two-sided: of no difference."""


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """On the reference's own answers, token by token; intervals over rows, because the
    tokens of one answer hang together.

    Where a few rows hold most of the divergence, an interval is too short: with rows that differ
    log-normally it covers 94 % at sigma 0.5, and at 1.5 81 % of 40 rows and 89 % of 250.
    """

    rows: int
    positions: int
    kl: Interval
    """Mean per token, nats, at least that: see `harness.recovery.information`."""
    top1: Interval
    """Share of positions at which both find the same token most probable."""
    tokens_kl: tuple[float, ...]
    """Of every position, in order."""
    worst: tuple[tuple[str, float], ...]
    """Rows of the largest mean divergence: prompt_id and nats a token."""


class SurvivalPoint(msgspec.Struct, frozen=True, kw_only=True):
    tokens: int
    share: float
    """Of answers that are still the same after so many tokens."""
    low: float | None
    high: float | None


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    answers: int
    identical: int
    at: tuple[int, ...]
    """Of those that parted, the index of the first token that differs, smallest first."""
    survival: tuple[SurvivalPoint, ...]


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Other over reference: latencies below 1 are faster, throughput above 1 is.

    Medians over turns in which both were asked the same, in an order drawn per turn. None where
    there were too few turns, or they hang together too much.
    """

    turns: int
    first_token: Interval | None
    per_token: Interval | None
    latency: Interval | None
    throughput: Interval | None
    """Of batches; a geometric mean."""


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """The reference and another arm; None where there was nothing to tell from."""

    arm: str
    quality: Quality | None
    fidelity: Fidelity | None
    divergence: Divergence | None
    length_ratio: Interval | None
    """Generated tokens over the reference's."""
    speed: Speed | None


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidate has beyond the noise floor, row by row."""

    kl: Interval
    disagreement: Interval
    """Share of positions with another most probable token."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Medians."""

    first_token_ms: float
    per_token_ms: float
    latency_ms: float
    tokens_per_s: float | None
    """Of a batch."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes; None is unknown, never 0."""

    weights: int | None
    kv_cache: int | None
    server: int | None
    """Resident, of the process that answers HTTP."""


class ArmTold(msgspec.Struct, frozen=True, kw_only=True):
    arm: str
    errors: dict[str, int]
    error_rate: Rate
    variants: dict[str, int]
    targets: dict[str, int]
    timing: Timing | None
    memory: Memory


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    plan: RecoveryPlan
    verdict: Verdict
    findings: tuple[Finding, ...]
    """Worst first."""
    planned: int
    recorded: int
    arms: tuple[ArmTold, ...]
    floor: Pairing
    """The reference against itself."""
    candidate: Pairing
    excess: Excess | None
    same_tokens: bool
    """Both turn the same prompts into the same token ids."""
