"""What happened when: answered and failed requests, and the latency of those answered."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import altair as alt

from harness.report.charts.theme import BAD, GAP, LEFT, SERIES, data, spec
from harness.report.drawing import Chart, Spec
from harness.report.wording import count, milliseconds
from harness.summary import Point

_MOST: Final = 150
"""Bars; a longer run has more seconds in each."""
_FILLED: Final = 0.85
"""Of a bar's room; the rest is the space to the next."""
_BARS_HEIGHT: Final = 120
_LINE_HEIGHT: Final = 90


def timeline(points: Sequence[Point]) -> Chart | None:
    """None where nothing happened."""
    if not points:
        return None
    step = max(1, math.ceil((points[-1].second + 1) / _MOST))
    rows = _rows(points, step)
    bars = [bar for row in rows for bar in _stacked(row)]
    known = [row for row in rows if row["latency"] is not None]
    end = points[-1].second + 1

    def draw(width: int) -> Spec:
        across = alt.X("start:Q", scale=alt.Scale(domain=[0, end], nice=False))
        per = "second" if step == 1 else f"{step} s"
        happened = (
            alt.Chart(data(bars), title=f"Requests ended per {per}")
            .mark_rect()
            .encode(
                x=across.title(None).axis(labels=False, grid=False),
                x2="shown:Q",
                y=alt.Y("from:Q", title="requests", scale=alt.Scale(domainMin=0)),
                y2="to:Q",
                color=alt.Color(
                    "what:N",
                    scale=alt.Scale(domain=["answered", "failed"], range=[SERIES[0], BAD]),
                ),
                description="tip:N",
            )
        )
        latency = (
            alt.Chart(data(known), title="Mean latency of those answered")
            .mark_line(color=SERIES[0], strokeWidth=1.75, point={"size": 14, "color": SERIES[0]})
            .encode(
                x=alt.X("middle:Q", scale=alt.Scale(domain=[0, end], nice=False))
                .title("seconds since the run began")
                .axis(grid=False),
                y=alt.Y("latency:Q", title="ms", scale=alt.Scale(domainMin=0)),
                description="tip:N",
            )
        )
        panels = (
            happened.properties(width=width - LEFT, height=_BARS_HEIGHT),
            latency.properties(width=width - LEFT, height=_LINE_HEIGHT),
        )
        return spec(alt.vconcat(*panels, spacing=GAP))

    answered = sum(point.answered for point in points)
    failed = sum(point.failed for point in points)
    said = f"{count(answered)} answered and {count(failed)} failed in {count(end)} seconds"
    return Chart(alt=f"Requests over time: {said}.", draw=draw)


def _rows(points: Sequence[Point], step: int) -> list[dict[str, object]]:
    """Seconds put together by `step`; a mean latency is weighted by requests."""
    parts: dict[int, list[Point]] = {}
    for point in points:
        parts.setdefault(point.second // step, []).append(point)
    return [_row(place * step, step, part) for place, part in sorted(parts.items())]


def _stacked(row: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Answered from below, and what failed on top of it."""
    answered, failed = int(str(row["answered"])), int(str(row["failed"]))
    for what, low, high in (("answered", 0, answered), ("failed", answered, answered + failed)):
        if high > low:
            yield {**row, "what": what, "from": low, "to": high}


def _row(start: int, step: int, part: Sequence[Point]) -> dict[str, object]:
    answered = sum(point.answered for point in part)
    failed = sum(point.failed for point in part)
    timed = [point for point in part if point.mean_latency_ms is not None and point.answered]
    weight = sum(point.answered for point in timed)
    total = sum((point.mean_latency_ms or 0) * point.answered for point in timed)
    latency = total / weight if weight else None
    said = "" if latency is None else f", mean latency {milliseconds(latency)}"
    return {
        "start": start,
        "middle": start + step / 2,
        "shown": start + step * _FILLED,
        "answered": answered,
        "failed": failed,
        "latency": latency,
        "tip": f"second {start}: {count(answered)} answered, {count(failed)} failed{said}",
    }
