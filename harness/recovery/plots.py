"""The two charts that only a recovery report has."""

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt

from harness.recovery.results import SurvivalPoint
from harness.report.charts.theme import LEFT, colours, data, layered, spec
from harness.report.drawing import Chart, Spec
from harness.report.wording import number, percent

_HEIGHT: Final = 220
_LEAST: Final = 1e-8
"""Nats; less is drawn here, because a logarithmic scale has no zero."""
_POINTS: Final = 200


def kl_by_token(values: Mapping[str, Sequence[float]]) -> Chart | None:
    """Series -> divergence of every token: which share of the tokens lies below it."""
    drawn = {name: sorted(of) for name, of in values.items() if of}
    if not drawn:
        return None
    rows = [row for name, of in drawn.items() for row in _steps(name, of)]

    def draw(width: int) -> Spec:
        chart = (
            alt.Chart(data(rows))
            .mark_line(strokeWidth=1.75, interpolate="step-after")
            .encode(
                x=alt.X(
                    "kl:Q", scale=alt.Scale(type="log"), title="KL divergence of a token, nats"
                ).axis(format="~g"),
                y=alt.Y("share:Q", title="share of tokens", scale=alt.Scale(domain=[0, 1])).axis(
                    format="~%"
                ),
                color=colours(list(values)),
            )
            .properties(width=width - LEFT, height=_HEIGHT)
        )
        return spec(chart)

    said = "; ".join(
        f"{name}: half of the tokens at most {number(of[len(of) // 2])}, the largest "
        f"{number(of[-1])} nats"
        for name, of in drawn.items()
    )
    return Chart(alt=f"How far the next-token distributions are apart. {said}.", draw=draw)


def still_identical(curves: Mapping[str, Sequence[SurvivalPoint]]) -> Chart | None:
    """Series -> the share of answers that are still the reference's after so many tokens."""
    if not curves:
        return None
    rows = [
        {
            "series": name,
            "tokens": point.tokens,
            "share": point.share,
            "low": point.share if point.low is None else point.low,
            "high": point.share if point.high is None else point.high,
            "tip": f"{name}: {percent(point.share)} after {point.tokens} tokens",
        }
        for name, curve in curves.items()
        for point in curve
    ]

    def draw(width: int) -> Spec:
        base = alt.Chart(data(rows)).encode(
            x=alt.X("tokens:Q", title="tokens").axis(tickMinStep=1),
            color=colours(list(curves)),
            description="tip:N",
        )
        across = alt.Scale(domain=[0, 1])
        band = base.mark_area(opacity=0.18, interpolate="step-after", line=False).encode(
            y=alt.Y("low:Q", scale=across, title="still identical").axis(format="~%"),
            y2="high:Q",
        )
        line = base.mark_line(strokeWidth=1.75, interpolate="step-after").encode(
            y=alt.Y("share:Q", scale=across)
        )
        return spec(layered(band, line).properties(width=width - LEFT, height=_HEIGHT))

    said = "; ".join(
        f"{name}: {percent(curve[-1].share)} after {curve[-1].tokens} tokens"
        for name, curve in curves.items()
    )
    return Chart(alt=f"Answers that are still the reference's. {said}.", draw=draw)


def _steps(name: str, ordered: Sequence[float]) -> list[dict[str, object]]:
    stride = max(1, len(ordered) // _POINTS)
    places = sorted({*range(0, len(ordered), stride), len(ordered) - 1})
    return [
        {"series": name, "kl": max(_LEAST, ordered[place]), "share": (place + 1) / len(ordered)}
        for place in places
    ]
