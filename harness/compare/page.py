"""A comparison as a page."""

from collections.abc import Iterator

from harness.compare.results import Comparison, Cost, Flip, Quality
from harness.report.charts import Estimate, forest, rates
from harness.report.page import Cell, Figure, Page, Quote, Section, Table, unknown
from harness.report.wording import (
    DASH,
    clipped,
    count,
    interval,
    milliseconds,
    number,
    percent,
    plural,
)
from harness.statistics.interval import Interval
from harness.summary import ArmSummary

_LONGEST = 800
_MOST_FLIPS = 12
_POINTS = 100
_EXPLAINED = (
    "Difference of the pass rates on the same items, candidate minus reference, with 95 % "
    "intervals (Tango's score). The dashed line is the margin: an interval to the right of it "
    "shows that the candidate is not inferior."
)
_BLOCKS = (
    "Candidate minus reference, over blocks of pairs that follow one another, with 95 % intervals; "
    "a ratio below 1 is faster."
)


def page(found: Comparison) -> Page:
    names = (found.reference.label, found.candidate.label)
    return Page(
        title=f"{names[1]} against {names[0]}",
        subtitle=f"{found.promptset.name} v{found.promptset.version}, paired on the same items",
        verdict=found.verdict,
        findings=found.findings,
        figures=tuple(_figures(found)),
        series=names,
        facts=(
            ("reference", f"{found.reference.model}, {found.reference.run}"),
            ("candidate", f"{found.candidate.model}, {found.candidate.run}"),
            ("promptset", f"{found.promptset.name}, sha256 {found.promptset.sha256}"),
        ),
        sections=tuple(
            section
            for section in (
                _differences(found),
                _categories(found, names),
                _speed(found),
                _answers(found, names),
                *_flips(found.quality),
            )
            if section is not None
        ),
    )


def _figures(found: Comparison) -> Iterator[Figure]:
    if quality := found.quality:
        yield Figure(
            label="Passed their checks",
            values=(percent(quality.reference.value), percent(quality.candidate.value)),
            note=f"{points(quality.difference)} points",
        )
        yield Figure(
            label="Passed alone",
            values=(count(quality.flips.lost), count(quality.flips.gained)),
            note=f"of {plural(quality.pairs, 'pair')}; McNemar p = {number(quality.p_different)}",
        )
    sides = (found.reference.figures, found.candidate.figures)
    yield Figure(
        label="Failed requests", values=tuple(percent(side.error_rate.value) for side in sides)
    )
    if shift := found.speed.shifts.get("latency p50"):
        yield Figure(
            label="Latency p50",
            values=tuple(_median(side) for side in sides),
            note=f"ratio {number(shift.ratio.value)} "
            f"({interval(shift.ratio.low, shift.ratio.high)}), block by block",
        )
    if length := found.length:
        yield Figure(
            label="Tokens an answer", values=(number(length.reference), number(length.candidate))
        )


def _differences(found: Comparison) -> Section | None:
    quality = found.quality
    if quality is None:
        return None
    estimates = [
        _estimate("all", quality.difference),
        *(_estimate(name, rate.difference) for name, rate in quality.by_category.items()),
    ]
    return Section(
        heading="Quality",
        prose=(
            _EXPLAINED,
            f"Not inferior: p = {number(quality.p_inferior)}, to be below 0.025.",
            f"Different at all: p = {number(quality.p_different)}, exact McNemar over "
            + plural(quality.prompts, "prompt")
            + ".",
        ),
        chart=forest(
            "difference of pass rates",
            estimates,
            margin=-_POINTS * quality.margin,
            unit="points",
        ),
    )


def _categories(found: Comparison, names: tuple[str, str]) -> Section | None:
    quality = found.quality
    if quality is None or len(quality.by_category) < 2:  # noqa: PLR2004
        return None
    groups = {
        name: {names[0]: rate.reference, names[1]: rate.candidate}
        for name, rate in quality.by_category.items()
    }
    return Section(heading="By category", chart=rates("passed their checks", groups, names))


def _speed(found: Comparison) -> Section:
    shifts = found.speed.shifts
    if not shifts:
        return Section(heading="Latency", prose=(f"{found.speed.reason}.",))
    return Section(
        heading="Latency",
        prose=(
            f"{found.speed.reason}.",
            _BLOCKS,
        ),
        chart=forest(
            "slower or faster",
            [
                Estimate(
                    label=name,
                    value=_POINTS * (one.ratio.value - 1),
                    low=_POINTS * (one.ratio.low - 1),
                    high=_POINTS * (one.ratio.high - 1),
                )
                for name, one in shifts.items()
            ],
            unit="%",
        ),
        table=Table(
            columns=("", "shift", "95 % interval", "ratio", "95 % interval", "pairs"),
            rows=tuple(
                (
                    name,
                    milliseconds(one.difference.value),
                    interval(one.difference.low, one.difference.high),
                    number(one.ratio.value),
                    interval(one.ratio.low, one.ratio.high),
                    count(one.pairs),
                )
                for name, one in shifts.items()
            ),
        ),
    )


def _answers(found: Comparison, names: tuple[str, str]) -> Section:
    rows: list[tuple[str | Cell, ...]] = [
        ("requests", *(count(one.requests) for one in _sides(found))),
        ("failed", *(count(one.error_rate.count) for one in _sides(found))),
    ]
    if length := found.length:
        rows.append(("tokens an answer", number(length.reference), number(length.candidate)))
        if length.ratio:
            told = f"{number(length.ratio.value)} ({interval(length.ratio.low, length.ratio.high)})"
            rows.append(("over the reference's", "1", told))
    for label, field in _COSTS:
        rows.append((label, *(_money(one, field) for one in found.costs)))
    return Section(
        heading="Answers and cost",
        prose=tuple(dict.fromkeys(f"Cost {one.note}." for one in found.costs if one.usd_per_hour)),
        table=Table(columns=("", *names), rows=tuple(rows)),
    )


_COSTS = (
    ("USD an hour", "usd_per_hour"),
    ("USD for 1,000 requests", "usd_per_1k_requests"),
    ("USD for 1,000,000 output tokens", "usd_per_1m_output_tokens"),
)


def _sides(found: Comparison) -> tuple[ArmSummary, ArmSummary]:
    return (found.reference.figures, found.candidate.figures)


def _median(side: ArmSummary) -> str:
    at = side.latency.percentiles if side.latency else ()
    return next((milliseconds(one.value) for one in at if one.level == 0.5), DASH)  # noqa: PLR2004


def _money(cost: Cost, field: str) -> str | Cell:
    value: float | None = getattr(cost, field)
    return unknown(cost.note or "not counted") if value is None else number(value)


def _flips(quality: Quality | None) -> Iterator[Section]:
    if quality is None:
        return
    for heading, flips in (("Lost", quality.lost), ("Gained", quality.gained)):
        if flips:
            more = len(flips) - _MOST_FLIPS
            yield Section(
                heading=heading,
                prose=(f"The first {_MOST_FLIPS}; {plural(more, 'other')} in the JSON beside.",)
                if more > 0
                else (),
                quotes=tuple(_quote(flip) for flip in flips[:_MOST_FLIPS]),
            )


def _quote(flip: Flip) -> Quote:
    return Quote(
        label=f"{flip.prompt_id}, {flip.category}",
        parts=(
            ("question", clipped(flip.question, _LONGEST)),
            ("reference", clipped(flip.reference, _LONGEST)),
            ("candidate", clipped(flip.candidate, _LONGEST)),
        ),
    )


def _estimate(label: str, of: Interval) -> Estimate:
    scaled = of.times(_POINTS)
    return Estimate(label=label, value=scaled.value, low=scaled.low, high=scaled.high)


def points(of: Interval) -> str:
    scaled = of.times(_POINTS)
    return f"{number(scaled.value)} ({interval(scaled.low, scaled.high)})"
