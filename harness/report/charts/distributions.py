"""How values spread: a histogram, and the percentiles out to the rarest that the data hold.

The percentile panel has "nines" across (50, 90, 99, 99.9 %), as HdrHistogram's plots do: a tail
that a histogram hides takes half of it. A service time beside the latency shows what a client that
waits its turn would have missed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from harness.histogram import Histogram, lowest_of, middle_of
from harness.report.charts.theme import GAP, INK, LEFT, SIDE_BY_SIDE, colours, data, layered, spec
from harness.report.drawing import Chart, Spec
from harness.report.wording import level, milliseconds, percent
from harness.summary import Percentile

_BINS: Final = 40
_STEPS: Final = 120
_WIDE_SPREAD: Final = 12
"""Values whose largest is so many times the smallest are shown on a logarithmic scale."""
_US_PER_MS: Final = 1_000
_LEAST_US: Final = 1
_NINES: Final = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_FEW_POWERS: Final = 1_000
_HEIGHT: Final = 210


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Values in microseconds; percentiles, in milliseconds, are marked with their intervals."""

    name: str
    histogram: Histogram
    percentiles: tuple[Percentile, ...] = ()
    beside: Histogram | None = None
    """Drawn dashed in the percentile panel: the same from when requests were sent."""


def distribution(quantity: str, curves: Sequence[Curve]) -> Chart | None:
    """None where no curve has a value. `quantity` names the values: `latency`."""
    drawn = [curve for curve in curves if curve.histogram.counts]
    if not drawn:
        return None
    scale, edges, ticks = _scale(drawn)
    bars = [row for curve in drawn for row in _bars(curve, edges)]
    lines = [row for curve in drawn for row in _lines(curve)]
    marks = [row for curve in drawn for row in _marks(curve)]
    colour = colours([curve.name for curve in curves])

    def draw(width: int) -> Spec:
        beside = width >= SIDE_BY_SIDE
        panel = (width - GAP) // 2 - LEFT if beside else width - LEFT
        panels = (
            _histogram(bars, scale, ticks, colour, quantity).properties(title="How often"),
            _percentiles(lines, marks, scale, ticks, colour).properties(title="By percentile"),
        )
        sized = (one.properties(width=panel, height=_HEIGHT) for one in panels)
        return spec(alt.concat(*sized, columns=2 if beside else 1, spacing=GAP))

    return Chart(alt=f"Distribution of {quantity}. {_said(drawn)}", draw=draw)


def _scale(curves: Sequence[Curve]) -> tuple[alt.Scale, list[float], dict[str, Any]]:
    """The scale of all values, the edges of the histogram's bins on it, in milliseconds; ticks."""
    buckets = [bucket for curve in curves for bucket in curve.histogram.counts]
    lowest = max(_LEAST_US, lowest_of(min(buckets))) / _US_PER_MS
    highest = lowest_of(max(buckets) + 1) / _US_PER_MS
    if highest / lowest >= _WIDE_SPREAD:
        ratio = (highest / lowest) ** (1 / _BINS)
        edges = [lowest * ratio**step for step in range(_BINS + 1)]
        scale = alt.Scale(type="log", domain=[lowest, highest], nice=False)
        return scale, edges, {"values": _round_numbers(lowest, highest)}
    step = (highest - lowest) / _BINS
    edges = [lowest + step * place for place in range(_BINS + 1)]
    return alt.Scale(domain=[lowest, highest], zero=False, nice=False), edges, {"tickCount": 5}


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2, 5, 10 and so on between the two; only powers of ten where that would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low <= _FEW_POWERS else (1,)
    numbers = (step * 10.0**power for power in powers for step in steps)
    return [number for number in numbers if low <= number <= high]


def _bars(curve: Curve, edges: Sequence[float]) -> Iterator[dict[str, object]]:
    counts = [0] * (len(edges) - 1)
    place = 0
    for bucket in sorted(curve.histogram.counts):
        value = middle_of(bucket) / _US_PER_MS
        while place < len(counts) - 1 and value >= edges[place + 1]:
            place += 1
        counts[place] += curve.histogram.counts[bucket]
    total = curve.histogram.total
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        if count:
            yield {
                "series": curve.name,
                "low": low,
                "high": high,
                "share": count / total,
                "tip": f"{curve.name}: {percent(count / total)} between {milliseconds(low)} "
                f"and {milliseconds(high)}",
            }


def _lines(curve: Curve) -> Iterator[dict[str, object]]:
    yield from _line(curve.name, "from planned time", curve.histogram)
    if curve.beside is not None and curve.beside.counts:
        yield from _line(curve.name, "from sent time", curve.beside)


def _line(name: str, clock: str, histogram: Histogram) -> Iterator[dict[str, object]]:
    """Each value drawn stands in the middle of its rank (Hazen), so the largest has a place."""
    total = histogram.total
    buckets = iter(sorted(histogram.counts))
    bucket = next(buckets)
    reached = histogram.counts[bucket]
    for rank in _ranks(total):
        while reached < rank:
            bucket = next(buckets)
            reached += histogram.counts[bucket]
        value = max(_LEAST_US, middle_of(bucket)) / _US_PER_MS
        nines = -math.log10((total - rank + 0.5) / total)
        yield {"series": name, "clock": clock, "nines": nines, "value": value}


def _ranks(total: int) -> list[int]:
    """Evenly spread over the nines, so that of the rarest values each is there."""
    furthest = math.log10(total)
    shares = (1 - 10 ** (-furthest * step / _STEPS) for step in range(_STEPS + 1))
    return sorted({total, *(max(1, math.ceil(total * share)) for share in shares)})


def _marks(curve: Curve) -> Iterator[dict[str, object]]:
    for at in curve.percentiles:
        known = at.low is not None and at.high is not None
        yield {
            "series": curve.name,
            "nines": -math.log10(1 - at.level),
            "value": max(_LEAST_US / _US_PER_MS, at.value),
            "low": max(_LEAST_US / _US_PER_MS, at.low) if at.low is not None else at.value,
            "high": at.high if at.high is not None else at.value,
            "tip": f"{curve.name}: {level(at.level)} {milliseconds(at.value)}"
            + (f", 95 % interval {at.low:.4g} to {at.high:.4g} ms" if known else ""),
        }


def _histogram(
    rows: list[dict[str, object]],
    scale: alt.Scale,
    ticks: dict[str, Any],
    colour: alt.Color,
    quantity: str,
) -> alt.Chart:
    several = len({row["series"] for row in rows}) > 1
    bars: alt.Chart = (
        alt.Chart(data(rows))
        .mark_rect(opacity=0.4 if several else 0.6)
        .encode(
            x=alt.X("low:Q", scale=scale, title=f"{quantity}, ms").axis(
                grid=False, labelOverlap=True, format=",~r", **ticks
            ),
            x2="high:Q",
            y=alt.Y("share:Q", title="share", scale=alt.Scale(domainMin=0)).axis(format="~%"),
            color=colour,
            description="tip:N",
        )
    )
    return bars


def _percentiles(
    lines: list[dict[str, object]],
    marks: list[dict[str, object]],
    scale: alt.Scale,
    ticks: dict[str, Any],
    colour: alt.Color,
) -> alt.LayerChart:
    furthest = max([*(float(str(row["nines"])) for row in lines), 1.0])
    across = alt.X(
        "nines:Q", title="percentile", scale=alt.Scale(domain=[0, furthest], nice=False)
    ).axis(
        values=[-math.log10(1 - at) for at in _NINES if -math.log10(1 - at) <= furthest],
        labelExpr="'p' + format(100 - 100 * pow(10, -datum.value), '~r')",
    )
    up = alt.Y("value:Q", scale=scale, title="ms").axis(format=",~r", **ticks)
    dashes = _dashes({str(row["clock"]) for row in lines})
    points = alt.Chart(data(marks)).encode(x=across, color=colour, description="tip:N")
    return layered(
        alt.Chart(data(lines))
        .mark_line(strokeWidth=1.75)
        .encode(x=across, y=up, color=colour, strokeDash=dashes),
        points.mark_rule(strokeWidth=5, opacity=0.35, strokeCap="round").encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q"
        ),
        points.mark_point(filled=True, size=36, opacity=1).encode(y=up),
    )


def _dashes(clocks: set[str]) -> alt.StrokeDash:
    both = len(clocks) > 1
    return alt.StrokeDash(
        "clock:N",
        scale=alt.Scale(domain=["from planned time", "from sent time"], range=[[1, 0], [3, 3]]),
        legend=alt.Legend(symbolStrokeColor=INK, symbolType="stroke") if both else None,
    )


def _said(curves: Sequence[Curve]) -> str:
    return " ".join(
        f"{curve.name}: "
        + ", ".join(f"{level(at.level)} {milliseconds(at.value)}" for at in curve.percentiles)
        + "."
        for curve in curves
        if curve.percentiles
    )
