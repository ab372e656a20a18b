"""Numbers as people read them: three significant digits, thousands apart, with their units."""

import math
from datetime import UTC, datetime
from typing import Final

from harness.shares import bound, percent

__all__ = [
    "DASH",
    "bound",
    "clipped",
    "count",
    "interval",
    "level",
    "milliseconds",
    "moment",
    "number",
    "percent",
    "plural",
    "seconds",
]

DASH: Final = "\N{EN DASH}"
_MINUS: Final = "\N{MINUS SIGN}"
_DIGITS: Final = 3
_PERCENT: Final = 100


def number(value: float) -> str:
    """`1234.5` -> `1,230`; `0.01234` -> `0.0123`; what isn't finite is said in words."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{_sign(value)}infinite"
    if value == 0:
        return "0"
    size = abs(value)
    decimals = _DIGITS - 1 - math.floor(math.log10(size))
    rounded = round(size, decimals)
    if rounded >= 10 ** (_DIGITS - decimals):  # 9.996 is 10.0, not 10.00
        decimals -= 1
    return f"{_sign(value)}{rounded:,.{max(0, decimals)}f}"


def count(value: int) -> str:
    return f"{_sign(value)}{abs(value):,}"


def milliseconds(value: float) -> str:
    return f"{number(value)} ms"


def seconds(value: float) -> str:
    """A duration: `48.2 s`, `12 min 5 s`, `3 h`."""
    minute, hour = 60, 3_600
    if float(f"{value:.{_DIGITS}g}") < minute:
        return f"{number(value)} s"
    whole = round(value)
    if whole < hour:
        return _without_nothing(f"{whole // minute} min", f"{whole % minute} s")
    return _without_nothing(f"{whole // hour:,} h", f"{whole % hour // minute} min")


def moment(written: str) -> str:
    """ISO 8601 -> `2026-11-23 10:00:00 UTC`; what isn't that stays as it is."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return written
    return (at if at.tzinfo is None else at.astimezone(UTC)).strftime("%Y-%m-%d %H:%M:%S UTC")


def level(of: float) -> str:
    """`0.999` -> `p99.9`."""
    return f"p{of * _PERCENT:g}"


def interval(low: float, high: float) -> str:
    return f"{number(low)} to {number(high)}"


def clipped(text: str, most: int) -> str:
    """At most so many characters, with a mark where some were left out."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def plural(of: int, one: str, many: str = "") -> str:
    return f"{count(of)} {one if of == 1 else many or one + 's'}"


def _without_nothing(large: str, small: str) -> str:
    return large if small.startswith("0 ") else f"{large} {small}"


def _sign(value: float) -> str:
    return _MINUS if value < 0 else ""
