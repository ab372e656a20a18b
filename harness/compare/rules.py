"""What a policy may ask of a run: a key, and who answers it.

PASS and FAIL where the whole interval says so; what the evidence doesn't decide, or can't answer at
all, is INCONCLUSIVE and says why. Costs alone have no interval: they are of this run.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from harness.compare import quality as qualities
from harness.compare.policy import Policy
from harness.compare.results import Comparison, Cost
from harness.compare.sides import Side
from harness.compare.speed import cost
from harness.findings import above, at_least, at_most
from harness.records import Record
from harness.report.wording import level
from harness.statistics import blocks
from harness.statistics.proportions import wilson
from harness.summary import Rate
from harness.totals import meets
from harness.verdict import Finding, Verdict

_NS_PER_MS: Final = 1_000_000
_NO_BASELINE: Final = "there is nothing to compare with: name a --baseline"
_UNCHECKED: Final = "no row that was asked has checks: nothing is known of the answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    side: Side
    comparison: Comparison | None
    policy: Policy

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(self.side.run.measured(self.side.arm.name))


Ask = Callable[[float, Evidence], Finding]
"""A limit and what is known -> the finding, to which `gate` gives its name."""


def _pass_rate(least: float, evidence: Evidence) -> Finding:
    rate = evidence.side.summary.pass_rate
    if rate is None:
        return _unknown(_UNCHECKED)
    return at_least("", rate, least, "passed their checks", "different rows")


def _margin(margin: float, evidence: Evidence) -> Finding:
    if evidence.comparison is None:
        return _unknown(_NO_BASELINE)
    return qualities.finding(evidence.comparison.quality, margin)


def _ratio(least: float, evidence: Evidence) -> Finding:
    if evidence.comparison is None:
        return _unknown(_NO_BASELINE)
    quality = evidence.comparison.quality
    if quality is None:
        return _unknown(_UNCHECKED)
    ratio = quality.ratio
    if ratio is None:
        return _unknown("the baseline passed nothing: there is no ratio to it")
    verdict = above(ratio.low, ratio.high, least)
    few = "; too few items to tell" if verdict is Verdict.INCONCLUSIVE else ""
    return Finding(
        name="",
        verdict=verdict,
        reason=f"the pass rate is {ratio.value:.4g} times the baseline's ({ratio.low:.4g} to "
        f"{ratio.high:.4g}); at least {least:g} is asked{few}",
        measured=ratio.value,
    )


def _length_ratio(least: float, evidence: Evidence) -> Finding:
    if evidence.comparison is None:
        return _unknown(_NO_BASELINE)
    length = evidence.comparison.length
    if length is None or length.ratio is None:
        return _unknown("too few answers whose tokens the servers counted")
    ratio = length.ratio
    return Finding(
        name="",
        verdict=above(ratio.low, ratio.high, least),
        reason=f"answers have {ratio.value:.3g} times the baseline's tokens "
        f"({ratio.low:.3g} to {ratio.high:.3g}); at least {least:g} is asked",
        measured=ratio.value,
    )


def _error_rate(most: float, evidence: Evidence) -> Finding:
    """An outage within the run fails it, however rare outages are; none passes by being rare."""

    def ask(rate: Rate) -> Finding:
        return at_most("", rate, most, "failed")

    rate = evidence.side.summary.error_rate
    if not rate.of:
        return _unknown("no request was measured")
    seen = ask(rate)
    if seen.verdict is not Verdict.PASS:
        return seen
    return _of_requests(ask, [not record.ok for record in evidence.records])


def _of_requests(ask: Callable[[Rate], Finding], held: Sequence[bool]) -> Finding:
    """Neighbouring requests fare alike: what takes them as independent is too sure."""
    alone, found = ask(wilson(sum(held), len(held))), ask(blocks.share(held))
    if found.verdict is alone.verdict:
        return found
    return msgspec.structs.replace(found, reason=f"{found.reason}: they come in phases")


def _milliseconds(
    records: Iterable[Record], time: Callable[[Record], int | None]
) -> Iterator[float]:
    """A request that failed took forever: a limit that only those answered keep is not kept."""
    for record in records:
        if not record.ok:
            yield math.inf
        elif (value := time(record)) is not None:
            yield value / _NS_PER_MS


def _tpot_ns(record: Record) -> int | None:
    """0 where no token followed the first: none was slow, as `meets` has it."""
    tokens = record.completion_tokens
    alone = tokens is not None and tokens < 2 and record.first_ns is not None  # noqa: PLR2004
    return 0 if alone else record.tpot_ns


def _percentile(what: str, time: Callable[[Record], int | None], percentile: float) -> Ask:
    def ask(most: float, evidence: Evidence) -> Finding:
        values = list(_milliseconds(evidence.records, time))
        failed = values.count(math.inf)
        if failed == len(values):
            answered = any(record.ok for record in evidence.records)
            return _unknown(
                f"no {what} was measured: "
                + ("no answer was streamed" if answered else "no answer")
            )
        found = blocks.level(values, percentile)
        if found is None:
            return _unknown(
                f"{len(values):,} values are too few, or follow one another too closely: this "
                f"takes {blocks.fewest_values(percentile):,} at least"
            )
        return Finding(
            name="",
            verdict=above(-found.high, -found.low, -most),
            reason=f"{what} {level(percentile)} is {_ms(found.value)} ({_ms(found.low)} to "
            f"{_ms(found.high)}); at most {most:g} ms is allowed"
            + (f"; {failed:,} of {len(values):,} failed: infinite" if failed else ""),
            measured=found.value if math.isfinite(found.value) else None,
            unit="ms",
        )

    return ask


def _goodput(least: float, evidence: Evidence) -> Finding:
    slo, records = evidence.policy.goodput.slo, evidence.records
    if not records:
        return _unknown("no request was measured")
    streamed = any(record.first_ns is not None for record in records if record.ok)
    if (slo.ttft_ms is not None or slo.tpot_ms is not None) and not streamed:
        return _unknown("no answer was streamed, so nobody knows when its first token came")
    return _of_requests(
        lambda rate: at_least("", rate, least, "were answered within the objectives"),
        [meets(slo, record) for record in records],
    )


def _cost(what: str, figure: Callable[[Cost], float | None]) -> Ask:
    def ask(most: float, evidence: Evidence) -> Finding:
        found = cost(evidence.side, dict(evidence.policy.usd_per_hour))
        if found.usd_per_hour is None:
            return _unknown(f"{found.note}: give it in the policy's [usd_per_hour]")
        value = figure(found)
        if value is None:
            return _unknown(f"no {what} were counted")
        return Finding(
            name="",
            verdict=Verdict.PASS if value <= most else Verdict.FAIL,
            reason=f"{value:.4g} USD for 1,000 {what}, {found.note}; at most {most:g} is allowed",
            measured=value,
            unit="USD",
        )

    return ask


_TIMES: Final[dict[str, tuple[str, Callable[[Record], int | None]]]] = {
    "ttft_ms": ("time to first token", lambda record: record.ttft_ns),
    "tpot_ms": ("time per output token", _tpot_ns),
    "latency_ms": ("latency", lambda record: record.latency_ns),
}
_LEVELS: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
RULES: Final[dict[str, Ask]] = {
    "quality.min_pass_rate": _pass_rate,
    "quality.margin": _margin,
    "quality.min_ratio": _ratio,
    "quality.min_length_ratio": _length_ratio,
    "errors.max_rate": _error_rate,
    "goodput.min_share": _goodput,
    "cost.max_usd_per_1k_requests": _cost("requests", lambda found: found.usd_per_1k_requests),
    "cost.max_usd_per_1k_tokens": _cost(
        "completion tokens",
        lambda found: (
            None
            if found.usd_per_1m_output_tokens is None
            else found.usd_per_1m_output_tokens / 1_000
        ),
    ),
    **{
        f"{table}.{name}": _percentile(what, time, percentile)
        for table, (what, time) in _TIMES.items()
        for name, percentile in _LEVELS.items()
    },
}
"""A policy's keys, each with who answers it."""


def _ms(value: float) -> str:
    return f"{value:.4g} ms" if math.isfinite(value) else "infinite"


def _unknown(reason: str) -> Finding:
    return Finding(name="", verdict=Verdict.INCONCLUSIVE, reason=reason)
