"""When requests are sent, from options: one entry a kind of arrivals."""

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.errors import WrongInput

Values = Mapping[str, Any]
Document = dict[str, Any]


def of_run(values: Values) -> Document | None:
    """Of `run`: a concurrency or a rate. None where neither is said."""
    if values["rate"] is None:
        if values["poisson"]:
            raise WrongInput("--poisson: needs a --rate")
        return None if values["concurrency"] is None else _closed(values)
    if values["concurrency"] is not None:
        raise WrongInput("--concurrency and --rate: give one of them")
    return {"type": "poisson" if values["poisson"] else "constant", "rate": values["rate"]}


def of_benchmark(values: Values) -> Document | None:
    """Of `benchmark`: any kind. None where nothing is said of it."""
    said = {name for name in _TAKES if values[name] is not None}
    kind = values["arrivals"] or _KIND_BY_OPTION.get(next(iter(sorted(said)), ""))
    if kind is None:
        return None
    needed, build = KINDS[kind]
    if missing := sorted(needed - said):
        raise WrongInput(f"--arrivals {kind}: needs {_flags(missing)}")
    if extra := sorted(said - needed):
        raise WrongInput(f"--arrivals {kind}: takes no {_flags(extra)}")
    return build(values)


def _closed(values: Values) -> Document:
    return {"type": "closed", "concurrency": values["concurrency"]}


def _constant(values: Values) -> Document:
    return {"type": "constant", "rate": _one(values["rate"])}


def _poisson(values: Values) -> Document:
    return {"type": "poisson", "rate": _one(values["rate"])}


def _ramp(values: Values) -> Document:
    rates = _rates(values["rate"], least=0.0)
    if len(rates) != 2:  # noqa: PLR2004
        raise WrongInput("--arrivals ramp: --rate is FROM,TO, such as 1,20")
    return {"type": "ramp", "from_rate": rates[0], "to_rate": rates[1]}


def _burst(values: Values) -> Document:
    return {"type": "burst", "size": values["burst"], "every_s": values["every"]}


def _steps(values: Values) -> Document:
    return {"type": "steps", "rates": _rates(values["rate"])}


KINDS: Final[Mapping[str, tuple[frozenset[str], Callable[[Values], Document]]]] = {
    "closed": (frozenset({"concurrency"}), _closed),
    "constant": (frozenset({"rate"}), _constant),
    "poisson": (frozenset({"rate"}), _poisson),
    "ramp": (frozenset({"rate"}), _ramp),
    "burst": (frozenset({"burst", "every"}), _burst),
    "steps": (frozenset({"rate"}), _steps),
}
_TAKES: Final = ("concurrency", "rate", "burst", "every")
_KIND_BY_OPTION: Final = {
    "concurrency": "closed",
    "rate": "constant",
    "burst": "burst",
    "every": "burst",
}


def _one(text: str) -> float:
    rates = _rates(text)
    if len(rates) != 1:
        raise WrongInput(f"--rate {text}: one rate, or --arrivals steps for several")
    return rates[0]


def _rates(text: str, least: float = sys.float_info.min) -> list[float]:
    try:
        rates = [float(part) for part in text.split(",")]
    except ValueError:
        rates = []
    if not rates or not all(least <= rate < math.inf for rate in rates):
        raise WrongInput(f"--rate {text}: numbers above 0 of requests a second, such as 5,10,20")
    return rates


def _flags(names: list[str]) -> str:
    return " and ".join(f"--{name}" for name in names)
