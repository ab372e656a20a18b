"""The same for the terminal: tables of at most a hundred columns."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from harness.compare.results import Comparison, Cost
from harness.compare.variants import AbReport
from harness.runs.tables import rate
from harness.statistics.interval import Interval


def comparison(found: Comparison) -> Table:
    table = Table("figure", title_justify="left")
    for column in (found.reference.label, found.candidate.label, "difference"):
        table.add_column(Text(column), overflow="fold")
    for row in _rows(found):
        table.add_row(*map(Text, row))
    return table


def flips(found: Comparison) -> Table | None:
    if found.quality is None or not (found.quality.lost or found.quality.gained):
        return None
    table = Table("", "prompt", "reference", "candidate", title="Flips", title_justify="left")
    most, longest = 8, 60
    for kind, of in (("lost", found.quality.lost), ("gained", found.quality.gained)):
        for flip in of[:most]:
            answers = (flip.reference, flip.candidate)
            shown = (" ".join(answer.split())[:longest] for answer in answers)
            table.add_row(kind, Text(flip.prompt_id), *map(Text, shown))
        if len(of) > most:
            table.add_row(kind, f"and {len(of) - most} more", "", "")
    return table


def ab(found: AbReport) -> Table:
    reference, candidate = found.variants
    table = Table("metric", title_justify="left")
    for column in (reference.name, candidate.name, "difference, 95 % at every look"):
        table.add_column(Text(column), overflow="fold")
    table.add_row("requests", f"{reference.requests:,}", f"{candidate.requests:,}", "")
    for metric in found.metrics:
        factor, unit = (1.0, f" {metric.unit}") if metric.unit else (100.0, " %")
        table.add_row(
            metric.name,
            f"{factor * metric.reference:.4g}{unit}",
            f"{factor * metric.candidate:.4g}{unit}",
            _ends(metric.difference.times(factor)),
        )
    return table


def _rows(found: Comparison) -> Iterator[tuple[str, str, str, str]]:
    sides = (found.reference.figures, found.candidate.figures)
    if quality := found.quality:
        yield (
            "passed",
            rate(quality.reference),
            rate(quality.candidate),
            f"{_ends(quality.difference.times(100))} points",
        )
    yield ("failed requests", rate(sides[0].error_rate), rate(sides[1].error_rate), "")
    if length := found.length:
        ratio = f"ratio {_ends(length.ratio)}" if length.ratio else ""
        yield "tokens", f"{length.reference:.4g}", f"{length.candidate:.4g}", ratio
    for name, shift in found.speed.shifts.items():
        yield name, "", f"{_ends(shift.difference)} ms", f"ratio {_ends(shift.ratio)}"
    if not found.speed.shifts:
        yield "latency", "", "", "not compared"
    costs = [_usd(cost) for cost in found.costs]
    yield "USD for 1,000 requests", costs[0], costs[1], ""


def _usd(cost: Cost) -> str:
    value = cost.usd_per_1k_requests
    return "unknown" if value is None else f"{value:.4g}"


def _ends(of: Interval) -> str:
    return f"{of.value:.3g} ({of.low:.3g} to {of.high:.3g})"
