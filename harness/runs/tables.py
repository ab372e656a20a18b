"""What a run came to, as tables of at most a hundred columns."""

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import terminal
from harness.shares import percent
from harness.summary import ArmSummary, Distribution, Percentile, Rate, Summary

_DISTRIBUTIONS: Final = (
    ("latency", "latency"),
    ("TTFT", "ttft"),
    ("TPOT", "tpot"),
    ("ITL", "inter_token"),
)
_DIGITS: Final = ((100.0, 0), (10.0, 1))
"""Decimals of values from so many milliseconds on."""
_LEVELS: Final = (0.5, 0.9, 0.95, 0.99, 0.999)


def show(summary: Summary, console: Console) -> None:
    for arm in summary.arms:
        console.print(_figures(arm))
        if any(getattr(arm, field) for _, field in _DISTRIBUTIONS):
            console.print(_times(arm))
        if arm.inter_token_note:
            console.print(f"ITL: {arm.inter_token_note}")
        if arm.by_category:
            console.print(_categories(arm))
    console.print(terminal.findings(summary.findings))


def rate(found: Rate | None) -> str:
    if found is None:
        return "not checked"
    return (
        f"{percent(found.value)} ({found.count:,} of {found.of:,}; "
        f"{percent(found.low)} to {percent(found.high)})"
    )


def _figures(arm: ArmSummary) -> Table:
    table = Table("figure", "value", title=arm.arm, title_justify="left")
    for name, value in _rows(arm):
        table.add_row(name, Text(value))
    return table


def _rows(arm: ArmSummary) -> Iterator[tuple[str, str]]:
    yield "requests", f"{arm.requests:,} in {arm.duration_s:,.1f} s"
    yield "answered", f"{arm.requests_per_s:,.2f}/s"
    yield "failed", rate(arm.error_rate)
    if arm.errors:
        yield "errors", _counts(arm.errors)
    yield "passed", rate(arm.pass_rate)
    if arm.goodput is not None:
        yield "within objectives", f"{rate(arm.goodput)}, {arm.goodput_per_s or 0:,.2f}/s"
    if arm.output_tokens_per_s is not None:
        yield (
            "tokens",
            f"{arm.output_tokens_per_s:,.1f}/s out, {arm.total_tokens_per_s or 0:,.1f}/s in all",
        )
    if arm.cached_share is not None:
        yield "prompt from cache", f"{100 * arm.cached_share:.1f} %"
    for name, counts in (
        ("variants", arm.variants),
        ("targets", arm.targets),
        ("ended by", arm.finish_reasons),
    ):
        if counts:
            yield name, _counts(counts)


def _times(arm: ArmSummary) -> Table:
    table = Table(title="Milliseconds, and 95 % intervals", title_justify="left")
    table.add_column("", no_wrap=True)
    for column in ("mean", "p50", "p90", "p95", "p99", "p99.9", "max"):
        table.add_column(column, justify="right")
    for name, field in _DISTRIBUTIONS:
        found: Distribution | None = getattr(arm, field)
        if found is not None:
            by_level = {percentile.level: percentile for percentile in found.percentiles}
            table.add_row(
                name,
                _number(found.mean),
                *(_percentile(by_level.get(level)) for level in _LEVELS),
                _number(found.maximum),
            )
    return table


def _categories(arm: ArmSummary) -> Table:
    table = Table("category", "passed", title="By category", title_justify="left")
    for category, found in arm.by_category.items():
        table.add_row(category, rate(found))
    return table


def _percentile(found: Percentile | None) -> str:
    if found is None:
        return "-"
    if found.low is None or found.high is None:
        return _number(found.value)
    return f"{_number(found.value)}\n{_number(found.low)} to {_number(found.high)}"


def _number(value: float) -> str:
    digits = next((digits for least, digits in _DIGITS if value >= least), 2)
    return f"{value:.{digits}f}"


def _counts(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name or 'none'} {count:,}" for name, count in ordered)
