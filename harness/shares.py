"""Shares as people read them: never rounded to nothing or to everything."""

from typing import Final

from harness.summary import Rate

_MINUS: Final = "\N{MINUS SIGN}"
_PERCENT: Final = 100
_MOST_DECIMALS: Final = 9
_TENTH: Final = 0.1
_ROUNDING: Final = 1e-12
"""So near to 0 or 1 a computed share is taken for it."""


def percent(share: float) -> str:
    """A share as a percentage. Only nothing is `0 %`, and only everything is `100 %`."""
    size = abs(share)
    if min(size, abs(size - 1)) < _ROUNDING:
        return f"{_sign(share) if size > _TENTH else ''}{round(size) * _PERCENT} %"
    decimals = 1 if _TENTH <= size < 1 - _TENTH / 10 or size > 1 + _TENTH / 10 else 2
    while decimals < _MOST_DECIMALS and round(size * _PERCENT, decimals) in (0, _PERCENT):
        decimals += 1
    return f"{_sign(share)}{size * _PERCENT:.{decimals}f} %"


def bound(share: float) -> str:
    """A limit as it was written: `0.02` -> `2 %`."""
    return f"{share * _PERCENT:.12g} %"


def told(rate: Rate, what: str) -> str:
    """`3 of 60 failed: 5.00 % (1.71 % to 13.7 %)`."""
    return (
        f"{rate.count:,} of {rate.of:,} {what}: {percent(rate.value)} "
        f"({percent(rate.low)} to {percent(rate.high)})"
    )


def _sign(value: float) -> str:
    return _MINUS if value < 0 else ""
