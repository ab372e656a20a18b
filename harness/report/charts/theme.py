"""How all charts look, and what is the same in all of them.

Colours are the page's CSS variables, so a picture is light or dark as the page is.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import altair as alt

from harness.report.drawing import Spec

Rows = Sequence[Mapping[str, object]]

SERIES: Final = tuple(f"var(--s{place})" for place in range(4))
INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
BAD: Final = "var(--fail)"
LEFT: Final = 62
"""Room for the labels and title of a vertical axis of numbers."""
GAP: Final = 24
SIDE_BY_SIDE: Final = 600
"""From this width on, two panels stand next to each other."""

_FONT: Final = 12
_CONFIG: Final[dict[str, object]] = {
    "background": None,
    "padding": {"left": 0, "right": 8, "top": 4, "bottom": 6},
    "font": "Helvetica Neue, Liberation Sans, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "grid": True,
        "gridColor": "var(--grid)",
        "labelColor": MUTED,
        "labelFontSize": _FONT,
        "labelPadding": 6,
        "titleColor": MUTED,
        "titleFontSize": _FONT,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "axisY": {"minExtent": 34, "tickCount": 4},
    "axisX": {"tickCount": 6},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK,
        "labelFontSize": _FONT,
        "labelLimit": 240,
        "symbolSize": 90,
        "symbolOpacity": 1,
        "columnPadding": 16,
        "offset": 8,
        "padding": 0,
        "layout": {"top": {"anchor": "start", "margin": 24}},
    },
    "title": {
        "color": INK,
        "fontSize": _FONT + 1,
        "fontWeight": 600,
        "anchor": "start",
        "frame": "group",
        "offset": 8,
    },
    "text": {"color": INK, "fontSize": _FONT},
}

Altair = alt.Chart | alt.LayerChart | alt.ConcatChart | alt.VConcatChart


def data(rows: Iterable[Mapping[str, object]]) -> alt.Data:
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def layered(*charts: alt.Chart) -> alt.LayerChart:
    layers = alt.layer(*charts)
    assert isinstance(layers, alt.LayerChart)  # noqa: S101  # a facet only of facets
    return layers


def spec(chart: Altair) -> Spec:
    document: Spec = chart.to_dict()
    return {**document, "config": _CONFIG}


def colours(names: Sequence[str]) -> alt.Color:
    """By the field `series`, in the order of the names; no legend where there is only one."""
    return alt.Color(
        "series:N",
        scale=alt.Scale(domain=list(names), range=list(SERIES[: len(names)])),
        legend=alt.Legend() if len(names) > 1 else None,
    )
