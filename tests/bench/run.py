"""`make bench`: measure, print a table, write build/bench.json, fail where a limit is not kept.

A benchmark is a function from the surroundings to its measurements; adding one is an entry in
BENCHMARKS. The limits are promises: one that is not met is a failure, not a warning.
"""

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.bench import cold_start
from tests.bench.evidence import evidence
from tests.bench.load import load
from tests.bench.measurement import Measurement
from tests.bench.stand_ins import ROOT, Surroundings, run_isolated, surroundings
from tests.bench.steal import CpuTimes
from tests.bench.synth import synth

HERE: Final = Path(__file__).parent
RESULT: Final = ROOT / "build/bench.json"


def overhead(around: Surroundings) -> list[Measurement]:
    figures = run_isolated(HERE / "overhead.py", around.environment)
    vllm, sagemaker = figures["vllm"], figures["sagemaker"]
    return [
        Measurement(
            name="gateway over the bare vLLM call, p50", value=vllm["p50"], unit="ms", limit=0.4
        ),
        Measurement(
            name="gateway over the bare vLLM call, p99", value=vllm["p99"], unit="ms", limit=2
        ),
        Measurement(
            name="gateway over boto3's invoke_endpoint, p50",
            value=sagemaker["p50"],
            unit="ms",
            limit=0.4,
        ),
    ]


def cold(around: Surroundings) -> list[Measurement]:
    figures = cold_start.measure(around.environment)
    return [
        Measurement(
            name="cold start to first answer, CPU", value=figures["whole"], unit="ms", limit=220
        ),
        Measurement(name="of it our own modules", value=figures["ours"], unit="ms", limit=40),
    ]


def memory(around: Surroundings) -> list[Measurement]:
    figures = run_isolated(HERE / "memory.py", around.environment)
    name = "resident memory grown over 100,000 requests"
    return [Measurement(name=name, value=figures["grown_mb"], unit="MB", limit=5)]


BENCHMARKS: Final[tuple[Callable[[Surroundings], list[Measurement]], ...]] = (
    overhead,
    cold,
    memory,
    load,
    evidence,
    synth,
)


def main() -> int:
    console = Console()
    measured: list[Measurement] = []
    before = CpuTimes.now()
    with surroundings() as around:
        for benchmark in BENCHMARKS:
            with console.status(f"measuring: {benchmark.__name__} …"):
                measured += benchmark(around)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([one.to_json() for one in measured], indent=2) + "\n")
    console.print(_table(measured))
    if stolen := CpuTimes.now().share_since(before):
        console.print(
            f"{stolen:.1%} of the cores' time the host gave to others: what waits for a moment "
            "(p99 of lags, times to first token) was late by as much as they took at once"
        )
    return 0 if all(one.met for one in measured) else 1


def _table(measured: list[Measurement]) -> Table:
    table = Table(title=f"{platform.machine()}, Python {platform.python_version()}")
    table.add_column("what")
    for column in ("measured", "limit", ""):
        table.add_column(column, justify="right")
    for one in measured:
        verdict = "[green]met[/]" if one.met else "[red]not met[/]"
        name = f"{one.name} [dim]({escape(one.note)})[/]" if one.note else one.name
        table.add_row(name, one.measured, one.allowed, verdict)
    return table


if __name__ == "__main__":
    sys.exit(main())
