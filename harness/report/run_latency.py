"""How long it took: a section for each kind of time, the timeline, and the client's own lag."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.aggregate import Aggregate
from harness.histogram import Histogram
from harness.plan import Closed
from harness.report import charts
from harness.report.page import Cell, Section, Table, arm_columns, unknown
from harness.report.wording import DASH, count, level, number, percent
from harness.statistics.quantiles import FEWEST, LEVELS
from harness.summary import ArmSummary, Distribution, Summary
from harness.totals import ArmTotals

_FIXED: Final[tuple[tuple[str, Callable[[Distribution], float]], ...]] = (
    ("mean", lambda one: one.mean),
    ("smallest", lambda one: one.minimum),
    ("largest", lambda one: one.maximum),
)


@dataclass(frozen=True, kw_only=True)
class _Kind:
    heading: str
    quantity: str
    prose: str
    figures: Callable[[ArmSummary], Distribution | None]
    values: Callable[[ArmTotals], Histogram]
    note: Callable[[ArmSummary], str] = lambda _: ""
    """Why an arm has no figures."""


_LATENCY: Final = _Kind(
    heading="Latency",
    quantity="latency",
    prose="From the planned send time to the end of the answer, of requests that were answered.",
    figures=lambda arm: arm.latency,
    values=lambda totals: totals.latency,
)
_STREAMED: Final = (
    _Kind(
        heading="Time to first token",
        quantity="time to first token",
        prose="From the planned send time to the first content of a streamed answer.",
        figures=lambda arm: arm.ttft,
        values=lambda totals: totals.ttft,
    ),
    _Kind(
        heading="Time per output token",
        quantity="time per output token",
        prose="From the first content to the end, over the tokens after the first, as the server "
        "counted them: one value a request.",
        figures=lambda arm: arm.tpot,
        values=lambda totals: totals.tpot,
    ),
    _Kind(
        heading="Between tokens",
        quantity="time between tokens",
        prose="Between the pieces of streamed answers, which were as many as the tokens.",
        figures=lambda arm: arm.inter_token,
        values=lambda totals: totals.gaps,
        note=lambda arm: arm.inter_token_note,
    ),
)


def sections(summary: Summary, aggregate: Aggregate) -> Iterator[Section]:
    """Latency always, what is known of streamed answers only where it is."""
    open_loop = not isinstance(summary.plan.load.arrivals, Closed)
    yield _section(_LATENCY, summary, aggregate, beside=open_loop)
    for kind in _STREAMED:
        if any(kind.figures(arm) or kind.note(arm) for arm in summary.arms):
            yield _section(kind, summary, aggregate)


def over_time(summary: Summary) -> Section | None:
    chart = charts.timeline(summary.timeline)
    return None if chart is None else Section(heading="Over time", chart=chart)


def client(summary: Summary, aggregate: Aggregate) -> Section:
    """Was the client fit to measure this?"""
    found = summary.client
    validity = summary.plan.validity
    lags = (
        ("requests sent after they were planned", found.dispatch_lag, validity.dispatch_lag_p99_ms),
        ("event loop late", found.loop_lag, validity.loop_lag_p99_ms),
    )
    rows: list[tuple[str | Cell, ...]] = [
        (name, *_tail(lag), "any" if most is None else f"{most:,g} ms")
        for name, lag, most in lags
        if lag is not None
    ]
    if found.cpu_share is not None:
        share = percent(found.cpu_share)
        rows.append(("CPU time over wall time", share, DASH, percent(validity.cpu_share)))
    curve = charts.Curve(
        name="dispatch lag",
        histogram=aggregate.dispatch_lag,
        percentiles=found.dispatch_lag.percentiles if found.dispatch_lag else (),
    )
    prose = "Beyond these limits the client would have been measured instead of the server."
    nothing = "Nothing was recorded of the client's own health."
    return Section(
        heading="The client",
        prose=(prose,) if rows else (nothing,),
        chart=charts.distribution("dispatch lag", [curve]) if found.dispatch_lag else None,
        table=Table(columns=("", "p99", "largest", "p99 allowed"), rows=tuple(rows))
        if rows
        else None,
    )


def _section(
    kind: _Kind, summary: Summary, aggregate: Aggregate, *, beside: bool = False
) -> Section:
    notes = tuple(f"{arm.arm}: {kind.note(arm)}." for arm in summary.arms if kind.note(arm))
    if not any(kind.figures(arm) for arm in summary.arms):
        return Section(heading=kind.heading, prose=notes or ("No request was answered.",))
    prose = [kind.prose, *notes]
    if beside:
        prose.append(
            "The dashed line counts from when a request was really sent: what it hides is the "
            "queue that a slow server builds up."
        )
    return Section(
        heading=kind.heading,
        prose=tuple(prose),
        chart=charts.distribution(
            kind.quantity, [_curve(kind, arm, aggregate, beside=beside) for arm in summary.arms]
        ),
        table=_table(kind, summary.arms),
    )


def _curve(kind: _Kind, arm: ArmSummary, aggregate: Aggregate, *, beside: bool) -> charts.Curve:
    figures = kind.figures(arm)
    totals = aggregate.arms.get(arm.arm, ArmTotals())
    return charts.Curve(
        name=arm.arm,
        histogram=kind.values(totals) if figures else Histogram(),
        percentiles=figures.percentiles if figures else (),
        beside=totals.service if beside else None,
    )


def _table(kind: _Kind, arms: Sequence[ArmSummary]) -> Table:
    found = [kind.figures(arm) for arm in arms]
    names = arm_columns("milliseconds", [arm.arm for arm in arms])
    columns = [names[0]]
    for name in names[1:]:
        columns += [name, "95 % interval"]
    rows = [_level_row(at, found) for at in LEVELS]
    for label, figure in _FIXED:
        cells: list[str | Cell] = [label]
        for one in found:
            cells += [_nothing() if one is None else number(figure(one)), ""]
        rows.append(tuple(cells))
    values = ["values", *(cell for one in found for cell in (count(one.count if one else 0), ""))]
    return Table(columns=tuple(columns), rows=(*rows, tuple(values)))


def _level_row(wanted: float, found: Sequence[Distribution | None]) -> tuple[str | Cell, ...]:
    cells: list[str | Cell] = [level(wanted)]
    for one in found:
        cells += _level_cells(wanted, one)
    return tuple(cells)


def _level_cells(wanted: float, one: Distribution | None) -> tuple[str | Cell, str | Cell]:
    if one is None:
        return _nothing(), ""
    at = next((at for at in one.percentiles if at.level == wanted), None)
    if at is None:
        return unknown(f"{count(one.count)} values don't tell it from the largest"), ""
    if at.low is None or at.high is None:
        few = unknown(
            f"an interval takes {count(FEWEST[wanted])} values, there are {count(one.count)}"
        )
        return number(at.value), few
    return number(at.value), f"{number(at.low)} to {number(at.high)}"


def _tail(lag: Distribution) -> tuple[str | Cell, str | Cell]:
    p99 = next((at.value for at in lag.percentiles if at.level == 0.99), None)  # noqa: PLR2004
    shown = (
        unknown("too few values to tell it from the largest")
        if p99 is None
        else f"{number(p99)} ms"
    )
    return shown, f"{number(lag.maximum)} ms"


def _nothing() -> Cell:
    return unknown("there are no figures of this arm")
