"""What is asked of a run, and the answers: one function a question."""

import math
from collections.abc import Iterator
from typing import Final

from harness import figures
from harness.aggregate import Aggregate
from harness.histogram import Histogram
from harness.load import failures
from harness.plan import Closed, Plan, Slo, Validity
from harness.shares import bound, percent, told
from harness.statistics.proportions import wilson
from harness.summary import Rate
from harness.totals import ArmTotals
from harness.verdict import Finding, Verdict

_US_PER_MS: Final = 1_000
_P99: Final = 0.99
_PROBED_NS: Final = 1_000_000_000
"""A client that ran for so long has probed its event loop."""
_MOST: Final = 1 << 24
_TOO_BUSY: Final = (
    "the client was measured, not the server; ask for less, or give it a core of its own"
)


def findings(plan: Plan, aggregate: Aggregate, *, timed: bool = False) -> Iterator[Finding]:
    """`timed`: times are asked of the run, whether or not its plan has objectives."""
    yield aggregate.ledger.finding(aggregate.expected)
    for name, totals in aggregate.arms.items():
        suffix = f" ({name})" if len(aggregate.arms) > 1 else ""
        yield from _of_arm(plan, totals, suffix)
        yield from _prefix_reuse(plan, totals, suffix)
    yield from _client(plan, aggregate, timed=timed or plan.slo != Slo())


def _of_arm(plan: Plan, totals: ArmTotals, suffix: str) -> Iterator[Finding]:
    expect = plan.expect
    if not totals.requests:
        yield Finding(
            name=f"answers{suffix}",
            verdict=Verdict.INCONCLUSIVE,
            reason="no request was measured",
            measured=0,
            unit="requests",
        )
        return
    if not totals.answered:
        yield Finding(
            name=f"answers{suffix}",
            verdict=Verdict.FAIL,
            reason=f"not one of {totals.requests:,} requests was answered: {_classes(totals)}",
            measured=0,
            unit="requests",
        )
    yield at_most(
        f"error rate{suffix}", figures.error_rate(totals), expect.max_error_rate, "failed"
    )
    if expect.min_pass_rate is not None:
        yield _pass_rate(f"pass rate{suffix}", totals, expect.min_pass_rate)
    good = figures.goodput(totals, plan.slo)
    if expect.min_goodput is not None and good is not None:
        yield at_least(f"goodput{suffix}", good, expect.min_goodput, "met the objectives")


def _pass_rate(name: str, totals: ArmTotals, least: float) -> Finding:
    rate = figures.pass_rate(totals)
    if rate is not None:
        return at_least(name, rate, least, "passed their checks", "different rows")
    return Finding(
        name=name,
        verdict=Verdict.INCONCLUSIVE,
        reason="no row that was asked has checks: nothing is known of the answers",
        limit=least,
    )


def at_least(name: str, rate: Rate, least: float, what: str, of: str = "requests") -> Finding:
    """PASS or FAIL where the whole interval says so, else INCONCLUSIVE.

    No number of requests shows that a share is 1 everywhere, so 1 asks for all of those seen.
    """
    reason = f"{told(rate, what)}; at least {bound(least)} is asked"
    if least >= 1:
        verdict = _of_those_seen(rate, holds=rate.count == rate.of)
        reason += ", which is all of those seen"
    else:
        verdict = above(rate.low, rate.high, least)
        if verdict is Verdict.INCONCLUSIVE:
            reason += _needed(rate, least if rate.value > least else None, of)
    return Finding(name=name, verdict=verdict, reason=reason, measured=rate.value, limit=least)


def at_most(name: str, rate: Rate, most: float, what: str) -> Finding:
    """The same for a share that has to be small: 0 asks for none of those seen."""
    reason = f"{told(rate, what)}; at most {bound(most)} is allowed"
    if most <= 0:
        verdict = _of_those_seen(rate, holds=rate.count == 0)
        reason += ", which is none of those seen"
    else:
        verdict = above(-rate.high, -rate.low, -most)
        if verdict is Verdict.INCONCLUSIVE:
            reason += _needed(rate, 1 - most if rate.value < most else None, "requests")
    return Finding(name=name, verdict=verdict, reason=reason, measured=rate.value, limit=most)


def above(low: float, high: float, least: float) -> Verdict:
    """Of an interval and the least that it may be."""
    if low >= least:
        return Verdict.PASS
    return Verdict.FAIL if high < least else Verdict.INCONCLUSIVE


def _of_those_seen(rate: Rate, *, holds: bool) -> Verdict:
    if not rate.of:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS if holds else Verdict.FAIL


def _prefix_reuse(plan: Plan, totals: ArmTotals, suffix: str) -> Iterator[Finding]:
    limit = plan.validity.prefix_reuse
    if limit >= 1 or not totals.answered:
        return
    share = figures.cached_share(totals)
    name = f"prefix reuse{suffix}"
    if share is not None:
        yield Finding(
            name=name,
            verdict=Verdict.INVALID if share > limit else Verdict.PASS,
            reason=f"{percent(share)} of the prompt tokens came from the prefix cache; "
            f"at most {bound(limit)} is allowed"
            + ("; ask with unique prefixes" if share > limit else ""),
            measured=share,
            limit=limit,
        )
    elif plan.generation.unique_prefix:
        yield Finding(
            name=name,
            verdict=Verdict.PASS,
            reason="every prompt began with a number of its own; the server doesn't tell its reuse",
            limit=limit,
        )
    else:
        yield Finding(
            name=name,
            verdict=Verdict.INCONCLUSIVE,
            reason="the server doesn't tell how many prompt tokens came from its cache: start it "
            "with --enable-prompt-tokens-details, or ask with unique prefixes",
            limit=limit,
        )


def _client(plan: Plan, aggregate: Aggregate, *, timed: bool) -> Iterator[Finding]:
    validity = plan.validity
    if _unwatched(aggregate):
        yield Finding(
            name="loop lag p99",
            verdict=Verdict.INVALID,
            reason="the client's own health was not recorded: whether the client or the server was "
            "measured isn't known",
            limit=_loop_lag_limit(validity, timed=timed),
            unit="ms",
        )
    if not isinstance(plan.load.arrivals, Closed):
        yield from _lag(
            "dispatch lag p99",
            aggregate.dispatch_lag,
            validity.dispatch_lag_p99_ms,
            "99 % of requests were sent within {} ms of when they were planned",
        )
    yield from _lag(
        "loop lag p99",
        aggregate.loop_lag,
        _loop_lag_limit(validity, timed=timed),
        "99 % of the time the client's event loop was at most {} ms late",
    )
    if (share := figures.cpu_share(aggregate)) is not None:
        yield _within("CPU share", share, validity.cpu_share, "the client used {} of a core")
    recorded = sum(
        totals.errors.get(failures.CLIENT_LIMIT, 0) for totals in aggregate.arms.values()
    )
    if refused := max(aggregate.refused, recorded):
        yield Finding(
            name="in flight",
            verdict=Verdict.INVALID,
            reason=f"{refused:,} requests were not sent, for {plan.load.max_in_flight:,} were "
            "waiting for their answers already, or no socket was left: ask for a lower rate",
            measured=refused,
            limit=0,
            unit="requests",
        )


def _unwatched(aggregate: Aggregate) -> bool:
    """Requests were measured, and nothing is known of the client that measured them."""
    watched = aggregate.loop_lag.total if aggregate.wall_ns >= _PROBED_NS else aggregate.wall_ns
    return not watched and any(totals.requests for totals in aggregate.arms.values())


def _loop_lag_limit(validity: Validity, *, timed: bool) -> float | None:
    limit = validity.loop_lag_p99_ms
    return Validity().loop_lag_p99_ms if limit is None and timed else limit


def _lag(name: str, lag: Histogram, limit: float | None, what: str) -> Iterator[Finding]:
    total = lag.total
    if total:
        measured = lag.at_rank(max(1, math.ceil(_P99 * total))) / _US_PER_MS
        yield _within(name, measured, limit, what, unit="ms")


def _within(
    name: str, measured: float, limit: float | None, what: str, *, unit: str = ""
) -> Finding:
    if limit is None:
        reason = what.format(f"{measured:.3g}")
        return Finding(
            name=name,
            verdict=Verdict.PASS,
            reason=f"{reason}; nothing was asked of times, and those shown may be off by as much",
            measured=measured,
            unit=unit,
        )
    over = measured > limit
    return Finding(
        name=name,
        verdict=Verdict.INVALID if over else Verdict.PASS,
        reason=what.format(f"{measured:.3g}")
        + f"; the limit is {limit:g}"
        + (f": {_TOO_BUSY}" if over else ""),
        measured=measured,
        limit=limit,
        unit=unit,
    )


def _needed(rate: Rate, level: float | None, what: str) -> str:
    """How many, all of them as they should be, show a share of `level`, where that is more."""
    if level is None:
        return "; too few to tell"
    few, many = 0, 2
    while wilson(many, many).low < level and many < _MOST:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if wilson(middle, middle).low >= level else (middle, many)
    if many <= rate.of:
        return f"; too close to the limit for {rate.of:,} {what} to tell"
    return f"; too few to tell: it takes {many:,} {what} at least"


def _classes(totals: ArmTotals) -> str:
    ordered = sorted(totals.errors.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{count:,} {name}: {failures.describe(name)}" for name, count in ordered)
