"""Estimates with their intervals: shares by group, differences against a margin, score bands."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt

from harness.report.charts.theme import BAD, INK, MUTED, SERIES, colours, data, layered, spec
from harness.report.drawing import Chart, Spec
from harness.report.wording import count, number, percent
from harness.summary import Rate

_LINE: Final = 30
_PER_CHARACTER: Final = 6.8
_FEWEST_PX: Final = 60
_MOST_SHARE: Final = 0.42
Group = Mapping[str, Rate]
"""Series -> its share, for one group."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    label: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where a score was expected, and where it came out."""

    label: str
    low: float
    high: float
    score: float

    @property
    def inside(self) -> bool:
        return self.low <= self.score <= self.high


def rates(what: str, groups: Mapping[str, Group], series: Sequence[str]) -> Chart | None:
    """Shares with their Wilson intervals, a line for each group. None where there is no group."""
    if not groups:
        return None
    rows = [row for group, shares in groups.items() for row in _shares(group, shares)]
    labels = list(groups)
    height = _LINE * (0.5 + 0.5 * len(series)) * len(groups)

    def draw(width: int) -> Spec:
        base = alt.Chart(data(rows)).encode(
            y=labelled(labels, width),
            yOffset=alt.YOffset("series:N", scale=alt.Scale(domain=list(series))),
            color=colours(series),
            description="tip:N",
        )
        across = alt.Scale(domain=_domain(rows))
        bars = base.mark_rule(strokeWidth=5, opacity=0.35, strokeCap="round").encode(
            x=alt.X("low:Q", scale=across, title=what).axis(format="%"), x2="high:Q"
        )
        points = base.mark_point(filled=True, size=60, opacity=1).encode(x="value:Q")
        return spec(sized(layered(bars, points), labels, width, height))

    said = "; ".join(str(row["tip"]) for row in rows)
    return Chart(alt=f"{what.capitalize()} with 95 % intervals. {said}.", draw=draw)


def forest(
    what: str, estimates: Sequence[Estimate], *, margin: float | None = None, unit: str = ""
) -> Chart | None:
    """Differences with their intervals, around zero; a dashed line where the margin is."""
    if not estimates:
        return None
    rows = [
        {
            "label": one.label,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "tip": f"{one.label}: {number(one.value)}{unit and ' ' + unit}, "
            f"{number(one.low)} to {number(one.high)}",
        }
        for one in estimates
    ]
    labels = [one.label for one in estimates]
    limits = [{"at": 0.0, "tip": "no difference"}]
    at_margin = [] if margin is None else [{"at": margin, "tip": f"margin {number(margin)}"}]
    title = f"{what}, {unit}" if unit else what

    def draw(width: int) -> Spec:
        base = alt.Chart(data(rows)).encode(
            y=labelled(labels, width), description="tip:N", color=alt.value(SERIES[0])
        )
        layers = (
            _line(limits, alt.value(MUTED), [1, 0]),
            _line(at_margin, alt.value(BAD), [5, 4]),
            base.mark_rule(strokeWidth=5, opacity=0.35, strokeCap="round").encode(
                x=alt.X("low:Q", title=title), x2="high:Q"
            ),
            base.mark_point(filled=True, size=60, opacity=1).encode(x="value:Q"),
        )
        return spec(sized(layered(*layers), labels, width, _LINE * len(rows)))

    said = "; ".join(str(row["tip"]) for row in rows)
    beyond = "" if margin is None else f" The margin is {number(margin)}."
    return Chart(alt=f"{title}, with intervals. {said}.{beyond}", draw=draw)


def bands(what: str, spans: Sequence[Span]) -> Chart | None:
    """Expected bands, and the scores given: red where a score lies outside of its band."""
    if not spans:
        return None
    rows = [
        {
            "label": span.label,
            "low": span.low,
            "high": span.high,
            "score": span.score,
            "inside": "inside its band" if span.inside else "outside",
            "tip": f"{span.label}: {number(span.score)}, expected {number(span.low)} to "
            f"{number(span.high)}",
        }
        for span in spans
    ]
    labels = [span.label for span in spans]
    outside = [span.label for span in spans if not span.inside]

    def draw(width: int) -> Spec:
        base = alt.Chart(data(rows)).encode(y=labelled(labels, width), description="tip:N")
        across = alt.X("low:Q", title=what, scale=alt.Scale(domain=[0, 1]))
        inside = alt.Scale(domain=["inside its band", "outside"], range=[SERIES[0], BAD])
        layers = (
            base.mark_rule(strokeWidth=8, opacity=0.25, color=INK).encode(x=across, x2="high:Q"),
            base.mark_point(filled=True, size=50, opacity=1).encode(
                x="score:Q", color=alt.Color("inside:N", scale=inside)
            ),
        )
        return spec(sized(layered(*layers), labels, width, _LINE / 1.5 * len(rows)))

    found = f"{count(len(spans) - len(outside))} of {count(len(spans))} inside their bands"
    return Chart(
        alt=f"{what}: {found}." + (f" Outside: {', '.join(outside)}." if outside else ""), draw=draw
    )


def _shares(group: str, shares: Group) -> Iterator[dict[str, object]]:
    for name, rate in shares.items():
        yield {
            "label": group,
            "series": name,
            "value": rate.value,
            "low": rate.low,
            "high": rate.high,
            "tip": f"{group}, {name}: {percent(rate.value)} of {count(rate.of)}, "
            f"{percent(rate.low)} to {percent(rate.high)}",
        }


def _domain(rows: Sequence[Mapping[str, object]]) -> list[float]:
    """Tenths that hold all intervals: points, unlike bars, need not begin at zero."""
    lowest = min(float(str(row["low"])) for row in rows)
    highest = max(float(str(row["high"])) for row in rows)
    return [math.floor(lowest * 10) / 10, math.ceil(highest * 10) / 10]


def labelled(labels: Sequence[str], width: int) -> alt.Y:
    """A line for each label, in the order given."""
    room = _room(labels, width)
    return alt.Y("label:N", sort=list(labels), title=None).axis(
        labelLimit=room, minExtent=room, labelColor=INK, grid=False
    )


def _room(labels: Sequence[str], width: int) -> float:
    longest = max(map(len, labels)) * _PER_CHARACTER
    return min(max(_FEWEST_PX, longest), width * _MOST_SHARE)


def sized(
    chart: alt.LayerChart, labels: Sequence[str], width: int, height: float
) -> alt.LayerChart:
    return chart.properties(width=width - _room(labels, width) - 20, height=height)


def _line(rows: Sequence[Mapping[str, object]], colour: object, dash: list[int]) -> alt.Chart:
    line: alt.Chart = (
        alt.Chart(data(rows))
        .mark_rule(strokeDash=dash)
        .encode(x="at:Q", color=colour, description="tip:N")
    )
    return line
