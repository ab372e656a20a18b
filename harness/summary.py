"""A run in figures: what is written to `summary.json`, shown in the terminal, and plotted."""

from typing import Final

import msgspec

from harness.plan import Plan
from harness.verdict import Finding, Verdict

TOGETHER_MOST: Final = 0.01
_NOT_TOLD_APART: Final = "pieces came faster than they are told apart (3 ms): see TPOT"


class Percentile(msgspec.Struct, frozen=True, kw_only=True):
    """A percentile with a 95 % interval by order statistics, in milliseconds.

    The interval is None where there are too few values for one (FEWEST in
    `harness.statistics.quantiles`); where there are not even enough for the percentile to be told
    from the largest value, the percentile is left out altogether.
    """

    level: float
    """0.5, 0.9, 0.95, 0.99, 0.999."""
    value: float
    low: float | None = None
    high: float | None = None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds."""

    count: int
    mean: float
    minimum: float
    maximum: float
    percentiles: tuple[Percentile, ...]


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A share with its 95 % interval (Wilson)."""

    count: int
    of: int
    value: float
    low: float
    high: float


class ArmSummary(msgspec.Struct, frozen=True, kw_only=True):
    arm: str
    requests: int
    duration_s: float
    """From the first planned send time to the last answer."""
    error_rate: Rate
    errors: dict[str, int]
    finish_reasons: dict[str, int]
    variants: dict[str, int]
    targets: dict[str, int]
    requests_per_s: float
    """Answered."""
    output_tokens_per_s: float | None
    """By the server's usage; None where it was not told for every answered request."""
    total_tokens_per_s: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_share: float | None
    latency: Distribution | None
    service: Distribution | None
    ttft: Distribution | None
    tpot: Distribution | None
    inter_token: Distribution | None
    """Between pieces, where the pieces were as many as the tokens and could be told apart; else
    None."""
    read_together: float | None = None
    """Share of gaps between pieces that are 0, where the pieces were as many as the tokens. Pieces
    that come faster than the client reads share a time: above TOGETHER_MOST these gaps are the
    client's, not the server's."""
    goodput: Rate | None
    goodput_per_s: float | None
    pass_rate: Rate | None
    """Of all requests whose row has checks: one that failed did not pass.

    Its interval counts rows, not requests: asking the same row again shows little more.
    """
    by_category: dict[str, Rate]

    @property
    def inter_token_note(self) -> str:
        """Why there are no gaps to show; empty where they are shown, or weren't tokens'."""
        together = self.read_together is not None and self.read_together > TOGETHER_MOST
        return _NOT_TOLD_APART if together else ""


class ClientSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Was the client fit to measure? Milliseconds and shares."""

    dispatch_lag: Distribution | None
    loop_lag: Distribution | None
    cpu_share: float | None
    segments: int
    """1, and one more for each time the run was resumed."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One second of the run's time."""

    second: int
    answered: int
    failed: int
    mean_latency_ms: float | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    plan: Plan
    verdict: Verdict
    findings: tuple[Finding, ...]
    """Worst first."""
    planned: int
    recorded: int
    arms: tuple[ArmSummary, ...]
    client: ClientSummary
    timeline: tuple[Point, ...]


FILE: Final = "summary.json"
