"""The load generator's promises, in figures of `load_client.py` and `load_peers.py`."""

from pathlib import Path
from typing import Final

from tests.bench.measurement import Measurement
from tests.bench.stand_ins import Surroundings, run_isolated

HERE: Final = Path(__file__).parent
_OF_BARE: Final = 0.7 / 0.43
"""0.7 ms a request is promised where bare stamping takes 0.43 ms, 6.7 µs a token."""


def load(around: Surroundings) -> list[Measurement]:
    figures = run_isolated(HERE / "load_client.py", around.environment)
    peers = run_isolated(HERE / "load_peers.py", around.environment)
    return [
        *(
            Measurement(
                name=f"load client / bare stamping, CPU per streamed request, {streams} at once",
                value=taken["ratio"],
                unit="times",
                limit=round(_OF_BARE, 2),
                note=f"{taken['ours_ms']:.2f} ms against {taken['bare_ms']:.2f} ms",
            )
            for streams, taken in figures["cpu"].items()
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
        *(_peer(name, figure) for name, figure in peers.items()),
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


def _peer(name: str, figure: dict[str, float] | str) -> Measurement:
    if isinstance(figure, str):
        ratio, note = None, figure
    else:
        ratio = figure["theirs_ms"] / figure["ours_ms"]
        note = f"{figure['theirs_ms']:.2f} ms against {figure['ours_ms']:.2f} ms"
    return Measurement(
        name=f"{name} / ours, CPU per streamed request",
        value=ratio,
        unit="times",
        limit=10,
        at_least=True,
        note=note,
    )
