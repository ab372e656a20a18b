"""How many of which: errors by class, answers by target."""

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt

from harness.report.charts.intervals import labelled, sized
from harness.report.charts.theme import colours, data, layered, spec
from harness.report.drawing import Chart, Spec
from harness.report.wording import count

_BAR: Final = 26
_NUMBERS_PX: Final = 60


def tally(
    what: str, counts: Mapping[str, Mapping[str, int]], series: Sequence[str]
) -> Chart | None:
    """Kind -> series -> how many; bars, most first. None where there is nothing to count."""
    order = sorted(counts, key=lambda kind: (-sum(counts[kind].values()), kind))
    rows = [
        {"label": kind, "series": name, "count": many, "text": count(many)}
        for kind in order
        for name, many in counts[kind].items()
        if many
    ]
    if not rows:
        return None

    def draw(width: int) -> Spec:
        base = alt.Chart(data(rows)).encode(
            y=labelled(order, width),
            yOffset=alt.YOffset("series:N", scale=alt.Scale(domain=list(series))),
            x=alt.X("count:Q", axis=None),
            description="text:N",
        )
        bars = base.mark_bar(height={"band": 0.7}).encode(color=colours(series))
        texts = base.mark_text(align="left", dx=6).encode(text="text:N")
        height = _BAR * len(order) * max(1, len(series) * 0.8)
        return spec(sized(layered(bars, texts), order, width - _NUMBERS_PX, height))

    said = "; ".join(f"{row['label']}, {row['series']}: {row['text']}" for row in rows)
    return Chart(alt=f"{what}. {said}.", draw=draw)
