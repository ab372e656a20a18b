"""Charts: what they are given is what they draw."""

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from harness.histogram import Histogram
from harness.report.charts import (
    Curve,
    Estimate,
    Span,
    bands,
    distribution,
    forest,
    rates,
    tally,
    timeline,
)
from harness.report.drawing import NARROW, WIDE, Chart, picture
from harness.statistics.proportions import wilson
from harness.statistics.quantiles import LEVELS, percentile
from harness.summary import Percentile, Point

Row = Mapping[str, Any]


def layers(chart: Chart | None, width: int = WIDE) -> list[list[Row]]:
    """The data of each part of a chart, in the order in which they are drawn."""
    assert chart is not None
    return list(_data(chart.draw(width)))


def _data(spec: object) -> Iterator[list[Row]]:
    if isinstance(spec, Mapping):
        if isinstance(spec.get("data"), Mapping) and "values" in spec["data"]:
            yield spec["data"]["values"]
        for key, part in spec.items():
            if key != "data":
                yield from _data(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from _data(part)


def histogram(size: int, *, spread: float = 0.4) -> Histogram:
    draw = random.Random(size)
    return Histogram.of(round(draw.lognormvariate(4, spread) * 1_000) for _ in range(size))


def percentiles(of: Histogram) -> tuple[Percentile, ...]:
    return tuple(found for level in LEVELS if (found := percentile(of, level)))


@pytest.mark.parametrize("spread", [0.05, 0.4, 2.0], ids=["narrow", "usual", "wide"])
def test_a_histogram_has_every_value_in_one_bar(spread: float) -> None:
    bars = layers(
        distribution("latency", [Curve(name="a", histogram=histogram(5_000, spread=spread))])
    )[0]

    assert sum(bar["share"] for bar in bars) == pytest.approx(1)
    assert all(
        earlier["high"] <= later["low"] + 1e-9 for earlier, later in itertools.pairwise(bars)
    )
    assert len(bars) <= 40


def test_percentiles_rise_and_end_at_the_largest_value() -> None:
    values = histogram(5_000)
    found = percentiles(values)
    data = layers(distribution("latency", [Curve(name="a", histogram=values, percentiles=found)]))

    line = [row["value"] for row in data[1]]
    assert line == sorted(line)
    assert line[-1] == values.at_rank(5_000) / 1_000
    assert [row["value"] for row in data[2]] == [one.value for one in found]
    assert [(row["low"], row["high"]) for row in data[2]] == [(one.low, one.high) for one in found]


def test_a_service_time_is_drawn_beside_the_latency() -> None:
    curve = Curve(name="a", histogram=histogram(500), beside=histogram(400))

    line = layers(distribution("latency", [curve]))[1]
    assert {row["clock"] for row in line} == {"from planned time", "from sent time"}


def test_a_million_values_make_a_picture_as_small_as_a_thousand() -> None:
    values = histogram(2_000, spread=2)
    many = Histogram({bucket: count * 1_000 for bucket, count in values.counts.items()})
    sizes = [
        len(picture(chart, "c"))
        for one in (values, many)
        if (chart := distribution("latency", [Curve(name="a", histogram=one)]))
    ]

    assert len(sizes) == 2
    assert max(sizes) < 60_000


@pytest.mark.parametrize("values", [[0], [7], [5_000] * 9, [0, 10_000_000]])
def test_few_and_equal_values_can_be_drawn(values: list[int]) -> None:
    chart = distribution("latency", [Curve(name="a", histogram=Histogram.of(values))])

    assert chart is not None
    assert "NaN" not in picture(chart, "c")
    assert sum(bar["share"] for bar in layers(chart)[0]) == pytest.approx(1)


def test_shares_are_drawn_with_their_intervals_for_every_series() -> None:
    groups = {
        "capitals": {"a": wilson(9, 10), "b": wilson(5, 10)},
        "medical": {"a": wilson(10, 10)},
    }
    rows = layers(rates("pass rate", groups, ["a", "b"]))[0]

    assert [
        (row["label"], row["series"], row["value"], row["low"], row["high"]) for row in rows
    ] == [
        (group, name, rate.value, rate.low, rate.high)
        for group, shares in groups.items()
        for name, rate in shares.items()
    ]


def test_a_margin_is_drawn_beside_zero() -> None:
    estimates = [Estimate(label="all", value=-0.02, low=-0.04, high=0.01)]
    data = layers(forest("difference", estimates, margin=-0.05))

    assert [row["at"] for row in [*data[0], *data[1]]] == [0.0, -0.05]
    assert [(row["value"], row["low"], row["high"]) for row in data[2]] == [(-0.02, -0.04, 0.01)]
    assert len(layers(forest("difference", estimates))[1]) == 0


def test_a_score_outside_of_its_band_is_told_apart() -> None:
    spans = [
        Span(label="good", low=0.6, high=1, score=0.6),
        Span(label="bad", low=0.6, high=1, score=0.59),
    ]
    chart = bands("coherence", spans)

    assert [row["inside"] for row in layers(chart)[0]] == ["inside its band", "outside"]
    assert chart is not None
    assert chart.alt == "coherence: 1 of 2 inside their bands. Outside: bad."


def test_kinds_are_counted_most_first_and_none_is_left_out() -> None:
    counts = {"reset": {"a": 1, "b": 0}, "timeout": {"a": 2, "b": 3}}
    rows = layers(tally("Errors", counts, ["a", "b"]))[0]

    assert [(row["label"], row["series"], row["count"]) for row in rows] == [
        ("timeout", "a", 2),
        ("timeout", "b", 3),
        ("reset", "a", 1),
    ]


def test_failed_requests_stand_on_those_answered() -> None:
    points = [
        Point(second=0, answered=4, failed=0, mean_latency_ms=10),
        Point(second=1, answered=3, failed=2, mean_latency_ms=20),
        Point(second=2, answered=0, failed=1, mean_latency_ms=None),
    ]
    bars, means = layers(timeline(points))

    assert [(bar["start"], bar["what"], bar["from"], bar["to"]) for bar in bars] == [
        (0, "answered", 0, 4),
        (1, "answered", 0, 3),
        (1, "failed", 3, 5),
        (2, "failed", 0, 1),
    ]
    assert [(row["middle"], row["latency"]) for row in means] == [(0.5, 10), (1.5, 20)]


def test_a_long_run_is_drawn_in_longer_steps_with_weighted_means() -> None:
    points = [
        Point(second=second, answered=1 + second % 2 * 2, failed=1, mean_latency_ms=10 + second % 2)
        for second in range(300)
    ]
    bars, means = layers(timeline(points))

    assert len(means) == 150
    assert {row["latency"] for row in means} == {(1 * 10 + 3 * 11) / 4}
    assert sum(bar["to"] - bar["from"] for bar in bars) == 300 * 2 + 300


def test_of_nothing_nothing_is_drawn() -> None:
    assert distribution("latency", [Curve(name="a", histogram=Histogram())]) is None
    assert timeline([]) is rates("x", {}, ["a"]) is forest("x", []) is bands("x", []) is None
    assert tally("x", {"timeout": {"a": 0}}, ["a"]) is None


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_picture_is_as_wide_as_asked(width: int) -> None:
    found = percentiles(values := histogram(5_000))
    chart = distribution("latency", [Curve(name="a", histogram=values, percentiles=found)])
    assert chart is not None
    size = "wide" if width == WIDE else "narrow"
    drawn = picture(chart, "c").split(f'<div class="{size}">')[1]

    across = float(drawn.split('viewBox="0 0 ')[1].split()[0])
    assert width - 30 <= across <= width + 12


def test_letters_that_no_page_can_hold_are_replaced() -> None:
    """At a NUL the renderer would take the process down."""
    names = ["x\x08", "y\ud800"]
    chart = tally("Errors", {"a\x00b\x1bc": dict.fromkeys(names, 1)}, names)

    assert chart is not None
    drawn = picture(chart, "c").encode(errors="replace")
    assert not {0x00, 0x1B, 0x08} & set(drawn)
    assert "a\N{REPLACEMENT CHARACTER}b".encode() in drawn
