"""What the load generator costs and how true its times are; prints JSON.

Client and server are processes of their own, each on its own core where there are two. CPU is that
of the client's thread from the first request to the last record on the disk.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from pathlib import Path
from statistics import median
from typing import Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from harness.load.drive import drive, run_loop
from harness.load.health import Pulse
from harness.plan import (
    Arm,
    Arrivals,
    Closed,
    Constant,
    Generation,
    Load,
    Plan,
    Poisson,
    PromptsetRef,
)
from harness.promptsets.rows import Row
from harness.records import Record, encode
from harness.runs.journal import Journal
from harness.runs.tally import Tally
from tests.bench.load_bare import bare_cpu_ms

TOKENS: Final = 64
ROWS: Final = [
    Row(prompt_id=f"p{number}", prompt=f"Tell {number} tales.", max_tokens=TOKENS, category="bench")
    for number in range(100)
]
FAKE: Final = ("-m", "chalicelib.backends.fake.server", "--ttft-ms", "50", "--itl-ms", "10")
MOCK: Final = (str(Path(__file__).with_name("load_mock.py")),)
REPEATS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Done:
    planned: int
    cpu_ns: int
    records: list[Record]
    health: list[Pulse]
    counted: int
    origin_ns: int
    """Where the run's own time begins, by the clock; late by the microseconds of asking."""

    @property
    def dispatch_lag_ms(self) -> list[float]:
        return sorted((one.sent_ns - one.planned_ns) / 1e6 for one in self.records)


def main() -> None:
    pin(0, 0)
    figures = {
        "cpu": {str(streams): cpu(streams) for streams in (100, 500)},
        "lag_ms": median_lag_ms(),
        "open": open_loop(),
        "ttft_p99_off_ms": ttft_p99_off_ms(),
        "stall_p99_ms": stall_p99_ms(),
    }
    print(json.dumps(figures))  # noqa: T201


def cpu(streams: int) -> dict[str, float]:
    """Milliseconds for a streamed request of 64 tokens: ours, and the least on this machine.

    Taken in turn, because a machine's speed changes within minutes; the medians of the repeats.
    """
    count = max(1000, 4 * streams)
    pairs = [(ours_ms(streams, count), _bare_ms(streams, count)) for _ in range(REPEATS)]
    return {
        "ours_ms": median(ours for ours, _ in pairs),
        "bare_ms": median(bare for _, bare in pairs),
        "ratio": median(ours / bare for ours, bare in pairs),
    }


def ours_ms(streams: int, count: int) -> float:
    return _run(FAKE, Closed(concurrency=streams), count=count).cpu_ns / count / 1e6


def _bare_ms(streams: int, count: int) -> float:
    with serving(FAKE) as url:
        return bare_cpu_ms(url, tokens=TOKENS, streams=streams, count=count)


def median_lag_ms() -> float:
    """From when a piece was sent to its time-stamp, over 200 streams at once."""
    done = _run(MOCK, Closed(concurrency=200), count=2000)
    lags = [lag for record in done.records for lag in _lags(record, done.origin_ns)]
    return median(lags) / 1e6


def ttft_p99_off_ms() -> float:
    """p99 of the time to first token less that of the first write of the server, by one clock.

    At half of the capacity: the client's thread is busy for half of the time.

    16 pieces a stream, because writing one costs the mock more than reading it costs the client:
    with 64 it would be the mock that is at its end.
    """
    short = (*MOCK, "--pieces", "16")
    calibration = _run(short, Closed(concurrency=100), count=2000)
    rate = 0.5 / (calibration.cpu_ns / 2000 / 1e9)
    done = _run(short, Poisson(rate=rate), count=round(rate * 10))
    measured = [record.first_ns - record.sent_ns for record in done.records if record.first_ns]
    true = [_said(record)[1] - done.origin_ns - record.sent_ns for record in done.records]
    return (_p99(measured) - _p99(true)) / 1e6


def open_loop() -> dict[str, float]:
    done = _run(MOCK, Constant(rate=2000), count=60_000, stream=False)
    recorded = {record.index for record in done.records if record.ok}
    return {
        "planned": done.planned,
        "sent": done.counted,
        "recorded": len(recorded) if len(recorded) == len(done.records) else -1,
        "dispatch_lag_p99_ms": _p99(done.dispatch_lag_ms),
    }


def stall_p99_ms() -> float:
    """The server does nothing for one second of ten; latency from the planned send time."""
    stall = (*MOCK, "--stall-after-s", "5", "--stall-s", "1", "--ttft-ms", "5")
    done = _run(stall, Constant(rate=200), count=2000, stream=False)
    return _p99([record.latency_ns for record in done.records]) / 1e6


def _run(server: Sequence[str], arrivals: Arrivals, *, count: int, stream: bool = True) -> Done:
    records: list[Record] = []
    tally = Tally()
    with (
        serving(server) as url,
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / "records.jsonl") as journal,
    ):

        def sink(record: Record) -> None:
            """As a run keeps it."""
            journal.append(encode(record))
            tally.add(record)
            records.append(record)

        plan = _plan(url, arrivals, count, stream=stream)
        origins: list[int] = []
        driven = run_loop(
            drive(
                plan,
                ROWS,
                keys={},
                sink=sink,
                pulse=lambda pulse: origins.append(time.monotonic_ns() - pulse.at_ns),
            )
        )
        counted = _count(url) if server[0] == MOCK[0] else count
    if bad := [record.error for record in records if record.error]:
        raise RuntimeError(f"{len(bad)} of {count} requests failed: {bad[0]}")
    return Done(
        planned=driven.planned,
        cpu_ns=sum(pulse.cpu_ns for pulse in driven.health),
        records=records,
        health=driven.health,
        counted=counted,
        origin_ns=min(origins),
    )


def _plan(url: str, arrivals: Arrivals, count: int, *, stream: bool) -> Plan:
    return Plan(
        run_id="bench",
        kind="run",
        created="",
        harness_version="0",
        promptset=PromptsetRef(name="bench", version=1, sha256=""),
        arms=(Arm(name="mock", url=url, model="mock", stream=stream),),
        load=Load(arrivals=arrivals, count=count),
        generation=Generation(extra={"ignore_eos": True}),
    )


@contextmanager
def serving(command: Sequence[str]) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        pin(process.pid, 1)
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def pin(process: int, which: int) -> None:
    cores = sorted(os.sched_getaffinity(os.getppid()))
    if len(cores) > 1:
        os.sched_setaffinity(process, {cores[which]})


def _count(url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/count") as answer:
        return int(answer.read())


def _said(record: Record) -> list[int]:
    """When the request came, then when each piece was sent."""
    return [int(word) for word in record.output.split()]


def _lags(record: Record, origin_ns: int) -> Iterator[int]:
    first = (record.first_ns or 0) + origin_ns
    came = accumulate(record.gaps_us, lambda moment, gap: moment + gap * 1000, initial=first)
    return map(sub, came, _said(record)[1:])


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


if __name__ == "__main__":
    main()
