"""Throughput, tokens, and who answered."""

from collections.abc import Callable, Iterator
from typing import Final

from harness.report.page import Cell, Section, Table, arm_columns, unknown
from harness.report.wording import count, number, percent, seconds
from harness.summary import ArmSummary, Rate, Summary

_UNTOLD: Final = "the server didn't tell its token counts for every answer"
_NO_SLO: Final = "no objectives were set"


def _counted(value: int | None) -> str | Cell:
    return unknown(_UNTOLD) if value is None else count(value)


def _measured(value: float | None, reason: str) -> str | Cell:
    return unknown(reason) if value is None else number(value)


def _share(rate: Rate | None) -> str | Cell:
    if rate is None:
        return unknown(_NO_SLO)
    if not rate.of:
        return unknown("no request was measured")
    return f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})"


def _cached(arm: ArmSummary) -> str | Cell:
    if arm.cached_share is None:
        return unknown("the server doesn't tell what came from its prefix cache")
    return percent(arm.cached_share)


_ROWS: Final[tuple[tuple[str, Callable[[ArmSummary], str | Cell]], ...]] = (
    ("requests", lambda arm: count(arm.requests)),
    ("from the first planned to the last answered", lambda arm: seconds(arm.duration_s)),
    ("answered a second", lambda arm: number(arm.requests_per_s)),
    ("within the objectives", lambda arm: _share(arm.goodput)),
    ("within the objectives, a second", lambda arm: _measured(arm.goodput_per_s, _NO_SLO)),
    ("prompt tokens", lambda arm: _counted(arm.prompt_tokens)),
    ("of them from the prefix cache", _cached),
    ("output tokens", lambda arm: _counted(arm.completion_tokens)),
    ("output tokens a second", lambda arm: _measured(arm.output_tokens_per_s, _UNTOLD)),
    ("all tokens a second", lambda arm: _measured(arm.total_tokens_per_s, _UNTOLD)),
)


def throughput(summary: Summary) -> Section:
    return Section(
        heading="Throughput and tokens",
        prose=("Tokens are the server's own counts.",),
        table=Table(
            columns=arm_columns("", [arm.arm for arm in summary.arms]),
            rows=tuple((label, *map(cell, summary.arms)) for label, cell in _ROWS),
        ),
    )


def answered_by(summary: Summary) -> Section | None:
    """None where nothing was answered."""
    rows = tuple(_origins(summary.arms))
    if not rows:
        return None
    return Section(
        heading="Who answered, and how answers ended",
        table=Table(
            columns=("", *arm_columns("name", [arm.arm for arm in summary.arms])),
            rows=rows,
            text_columns=(0, 1),
        ),
    )


def _origins(arms: tuple[ArmSummary, ...]) -> Iterator[tuple[str | Cell, ...]]:
    kinds: tuple[tuple[str, Callable[[ArmSummary], dict[str, int]]], ...] = (
        ("variant", lambda arm: arm.variants),
        ("target", lambda arm: arm.targets),
        ("finish reason", lambda arm: arm.finish_reasons),
    )
    for kind, counts in kinds:
        for name in sorted({name for arm in arms for name in counts(arm)}):
            yield kind, name or "none", *(count(counts(arm).get(name, 0)) for arm in arms)
