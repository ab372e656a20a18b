"""`prices.toml`, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from gpu_fleet.errors import ConfigError
from gpu_fleet.strict_toml import Between, build, read_toml

PRICES_TOML: Final = Path(__file__).with_name("prices.toml")
HOURS_PER_MONTH: Final = 730
ON_DEMAND: Final = "on-demand "
_SHARED: Final = {"spot ": "spot", "auto-mode ": "auto-mode"}


@dataclass(frozen=True, kw_only=True)
class Source:
    url: str
    read: str
    about: str


@dataclass(frozen=True, kw_only=True)
class _Entry:
    usd: Annotated[float, Between(0.000001, 10_000)]
    per: Literal["hour", "month"]
    source: str
    estimate: bool = False


@dataclass(frozen=True, kw_only=True)
class _Share:
    share: Annotated[float, Between(0.01, 1)]
    source: str


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of one for an hour."""

    usd: float
    source: str
    estimate: bool


@dataclass(frozen=True, kw_only=True)
class PriceList:
    region: str
    sources: Mapping[str, Source]
    prices: Mapping[str, _Entry]
    shares: Mapping[str, _Share]

    def find(self, name: str) -> Price | None:
        """None where it is unknown. `spot g5.xlarge` and `auto-mode g5.xlarge` are shares of
        on-demand's, unless they are listed themselves.
        """
        if entry := self.prices.get(name):
            hours = HOURS_PER_MONTH if entry.per == "month" else 1
            return Price(usd=entry.usd / hours, source=entry.source, estimate=entry.estimate)
        for start, kind in _SHARED.items():
            whole = self.prices.get(f"{ON_DEMAND}{name.removeprefix(start)}") or self.prices.get(
                name.removeprefix(start)
            )
            if name.startswith(start) and whole and whole.per == "hour":
                share = self.shares[kind]
                return Price(usd=whole.usd * share.share, source=share.source, estimate=True)
        return None


def load_prices(path: Path = PRICES_TOML) -> PriceList:
    """Raises ConfigError."""
    listed = build(PriceList, read_toml(path), path.name, "")
    for table in ("prices", "shares"):
        for name, entry in getattr(listed, table).items():
            if entry.source not in listed.sources:
                known = ", ".join(listed.sources)
                raise ConfigError(
                    path.name, f"{table}.{name}.source", f"is {entry.source!r}; there are: {known}"
                )
    if missing := set(_SHARED.values()) - listed.shares.keys():
        raise ConfigError(path.name, "shares", f"lacks {', '.join(sorted(missing))}")
    return listed
