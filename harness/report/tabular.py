"""The same in CSV, for spreadsheets and notebooks.

A text that a spreadsheet would run as a formula has an apostrophe put before it: outputs of models
and names of targets are not to be trusted.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TextIO

from harness.aggregate import Grade
from harness.records import Record
from harness.summary import ArmSummary, Distribution, Rate, Summary

RECORDS: Final = "records.csv"
SUMMARY: Final = "summary.csv"
Value = str | int | float | bool | None
_NS_PER_MS: Final = 1_000_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_DECIMALS: Final = 6
_SUMMARY_COLUMNS: Final = ("metric", "arm", "value", "low", "high", "unit")


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / _NS_PER_MS


_COLUMNS: Final[Mapping[str, Callable[[Record], Value]]] = {
    "index": lambda record: record.index,
    "arm": lambda record: record.arm,
    "prompt_id": lambda record: record.prompt_id,
    "planned_ms": lambda record: _ms(record.planned_ns),
    "dispatch_lag_ms": lambda record: _ms(record.sent_ns - record.planned_ns),
    "ttft_ms": lambda record: _ms(record.ttft_ns),
    "tpot_ms": lambda record: _ms(record.tpot_ns),
    "latency_ms": lambda record: _ms(record.latency_ns),
    "service_ms": lambda record: _ms(record.end_ns - record.sent_ns),
    "status": lambda record: record.status,
    "error": lambda record: record.error,
    "finish_reason": lambda record: record.finish_reason,
    "prompt_tokens": lambda record: record.prompt_tokens,
    "completion_tokens": lambda record: record.completion_tokens,
    "cached_tokens": lambda record: record.cached_tokens,
    "model": lambda record: record.model,
    "variant": lambda record: record.variant,
    "target": lambda record: record.target,
    "correlation_id": lambda record: record.correlation_id,
    "output": lambda record: record.output,
}


def write_records(file: TextIO, records: Iterable[Record], grade: Grade) -> None:
    """A row a record, `passed` last; empty where nothing is known."""
    writer = csv.writer(file)
    writer.writerow((*_COLUMNS, "passed"))
    for record in records:
        cells = [_cell(value(record)) for value in _COLUMNS.values()]
        writer.writerow((*cells, _cell(grade(record))))


def write_summary(file: TextIO, summary: Summary) -> None:
    writer = csv.writer(file)
    writer.writerow(_SUMMARY_COLUMNS)
    for arm in summary.arms:
        for metric, value, low, high, unit in _metrics(arm):
            writer.writerow([_cell(cell) for cell in (metric, arm.arm, value, low, high, unit)])


_Line = tuple[str, Value, Value, Value, str]


def _metrics(arm: ArmSummary) -> Iterator[_Line]:
    plain: tuple[tuple[str, Value, str], ...] = (
        ("requests", arm.requests, "requests"),
        ("duration", arm.duration_s, "s"),
        ("answered", arm.requests_per_s, "1/s"),
        ("output_tokens", arm.output_tokens_per_s, "tokens/s"),
        ("total_tokens", arm.total_tokens_per_s, "tokens/s"),
        ("prompt_tokens", arm.prompt_tokens, "tokens"),
        ("completion_tokens", arm.completion_tokens, "tokens"),
        ("cached_share", arm.cached_share, "share"),
        ("goodput_rate", arm.goodput_per_s, "1/s"),
        ("inter_token/read_together", arm.read_together, "share"),
    )
    for name, value, unit in plain:
        yield name, value, None, None, unit
    yield from _rate("error_rate", arm.error_rate)
    yield from _rate("goodput", arm.goodput)
    yield from _rate("pass_rate", arm.pass_rate)
    for category, rate in arm.by_category.items():
        yield from _rate(f"pass_rate/{category}", rate)
    for name, times in arm.errors.items():
        yield f"errors/{name}", times, None, None, "requests"
    yield from _distribution("latency", arm.latency)
    yield from _distribution("service", arm.service)
    yield from _distribution("ttft", arm.ttft)
    yield from _distribution("tpot", arm.tpot)
    yield from _distribution("inter_token", arm.inter_token)


def _rate(name: str, rate: Rate | None) -> Iterator[_Line]:
    if rate is not None:
        yield name, rate.value, rate.low, rate.high, "share"


def _distribution(name: str, found: Distribution | None) -> Iterator[_Line]:
    if found is None:
        return
    yield f"{name}/mean", found.mean, None, None, "ms"
    yield f"{name}/max", found.maximum, None, None, "ms"
    for at in found.percentiles:
        yield f"{name}/p{at.level * 100:g}", at.value, at.low, at.high, "ms"


def _cell(value: Value) -> Value:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
