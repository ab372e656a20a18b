"""The load generator's promises, in figures of `load_client.py` and `load_peers.py`."""

from pathlib import Path
from typing import Final

from tests.bench.measurement import Measurement
from tests.bench.stand_ins import Surroundings, run_isolated

HERE: Final = Path(__file__).parent
_CPU: Final = "load client, CPU per streamed request"


def load(around: Surroundings) -> list[Measurement]:
    figures = run_isolated(HERE / "load_client.py", around.environment)
    peers = run_isolated(HERE / "load_peers.py", around.environment)
    ours = figures["cpu_ms"]["100"]
    return [
        *(
            Measurement(name=f"{_CPU}, {streams} at once", value=value, unit="ms", limit=0.7)
            for streams, value in figures["cpu_ms"].items()
        ),
        Measurement(
            name="time-stamp lag at 200 streams, median",
            value=figures["lag_ms"],
            unit="ms",
            limit=0.1,
        ),
        Measurement(
            name="time to first token off the truth, p99, half of capacity",
            value=figures["ttft_p99_off_ms"],
            unit="ms",
            limit=2,
        ),
        *_open_loop(figures["open"]),
        Measurement(
            name="p99 from the planned time, server stalls 1 s of 10",
            value=figures["stall_p99_ms"],
            unit="ms",
            limit=850,
            at_least=True,
        ),
        *(_ratio(name, figure, ours) for name, figure in peers.items()),
    ]


def _open_loop(figures: dict[str, float]) -> list[Measurement]:
    planned = figures["planned"]
    off = sum(abs(figures[name] - planned) for name in ("sent", "recorded"))
    return [
        Measurement(
            name=f"open loop, {planned:,} at 2,000/s: not sent or not recorded",
            value=off,
            unit="requests",
            limit=0,
        ),
        Measurement(
            name="open loop, dispatch lag p99",
            value=figures["dispatch_lag_p99_ms"],
            unit="ms",
            limit=2,
        ),
    ]


def _ratio(name: str, figure: float | str, ours: float) -> Measurement:
    told = isinstance(figure, str)
    return Measurement(
        name=f"{name} / ours, CPU per streamed request",
        value=None if isinstance(figure, str) else figure / ours,
        unit="times",
        limit=10,
        at_least=True,
        note=str(figure) if told else f"{figure:.2f} ms against {ours:.2f} ms",
    )
