"""Run folders with made-up answers, asked in the order that a real run of the plan asks in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness import records
from harness.checks import ContainsAny
from harness.histogram import Histogram
from harness.load.health import Pulse
from harness.load.item import Item
from harness.load.items import Items
from harness.plan import (
    Arm,
    Closed,
    Expectations,
    Generation,
    Load,
    Plan,
    PromptsetRef,
    Slo,
    Validity,
)
from harness.promptsets.rows import Row
from harness.records import Record
from harness.runs.folder import RunFolder
from harness.summarise import summarise
from harness.verdict import Finding, Verdict

MS = 1_000_000
Answer = Callable[[int, int], Mapping[str, Any]]
"""Number of the prompt, and how often it was asked before -> fields of the record; a function is
given when the request was sent, in nanoseconds. `latency_ms`: 100 where nothing is said."""


def right(number: int, repeat: int) -> dict[str, Any]:  # noqa: ARG001
    return {"output": f"the answer is {number}"}


def wrong(number: int, repeat: int) -> dict[str, Any]:  # noqa: ARG001
    return {"output": "I do not know"}


def wrong_on(*numbers: int) -> Answer:
    return lambda number, repeat: (wrong if number in numbers else right)(number, repeat)


def failing(number: int, repeat: int) -> dict[str, Any]:  # noqa: ARG001
    return {"error": "http_5xx", "status": 500}


def rows(count: int, *, checked: bool = True) -> tuple[Row, ...]:
    return tuple(
        Row(
            prompt_id=f"p{number:04d}",
            prompt=f"What is number {number}?",
            max_tokens=8,
            category="even" if number % 2 == 0 else "odd",
            checks=(ContainsAny(values=(str(number),)),) if checked else (),
        )
        for number in range(count)
    )


def run_folder(  # noqa: PLR0913  # each is one way in which runs differ
    path: Path,
    arms: Mapping[str, Answer],
    *,
    prompts: int = 100,
    repeat: int = 1,
    warmup: int = 0,
    count: int | None = None,
    sha256: str = "a" * 64,
    checked: bool = True,
    slo: Slo | None = None,
    generation: Generation | None = None,
    lost: tuple[int, ...] = (),
    over: bool = True,
    loop_lag_ms: float | None = 0.1,
    validity: Validity | None = None,
) -> Path:
    """Every prompt `repeat` times of each arm, or `count` requests in all.

    Latencies 100 ms, one every 200 ms. `loop_lag_ms`: the client's lateness; None: nothing of its
    health was recorded.
    """
    asked = rows(prompts, checked=checked)
    plan = Plan(
        run_id=path.name,
        kind="run",
        created="2026-01-01T00:00:00Z",
        harness_version="0.1.0",
        promptset=PromptsetRef(name="made-up", version=1, sha256=sha256),
        arms=tuple(Arm(name=name, url="http://127.0.0.1:9", model=f"team/{name}") for name in arms),
        load=Load(
            arrivals=Closed(concurrency=2),
            count=count or prompts * repeat * len(arms),
            warmup=warmup,
        ),
        generation=generation or Generation(),
        slo=slo or Slo(),
        validity=validity or Validity(),
        expect=Expectations(min_pass_rate=0.0, max_error_rate=0.5),
    )
    folder = RunFolder.create(path, plan, asked)
    items = Items(plan, asked)
    seen: dict[tuple[str, str], int] = {}
    with folder.segment() as segment:
        for index in range(items.planned or 0):
            item = items.item(index)
            key = (item.arm.name, item.row.prompt_id)
            times = seen[key] = seen.get(key, -1) + 1
            if index in lost:
                continue
            fields = arms[item.arm.name](int(item.row.prompt_id[1:]), times)
            segment.records.append(records.encode(_record(item, fields)))
        if loop_lag_ms is not None:
            segment.health.append(msgspec.json.encode(_pulse(loop_lag_ms)))
    if over:
        folder.write_summary(summarise(plan, folder.aggregate(items.planned)))
    return path


def late_shard(run: Path) -> Path:
    """The run, as if a merge had found what its records don't show."""
    folder = RunFolder(run)
    summary = folder.summary
    assert summary is not None
    late = Finding(name="common start", verdict=Verdict.INVALID, reason="shard 3 began 5 s late")
    folder.write_summary(
        msgspec.structs.replace(summary, findings=(*summary.findings, late), verdict=late.verdict)
    )
    return run


def _pulse(loop_lag_ms: float) -> Pulse:
    return Pulse(
        at_ns=1_000 * MS,
        wall_ns=1_000 * MS,
        cpu_ns=100 * MS,
        loop_lag=Histogram.of([int(loop_lag_ms * 1_000)] * 50),
        in_flight=2,
        sent=10,
        refused=0,
    )


def _record(item: Item, fields: Mapping[str, Any]) -> Record:
    start = item.index * 200 * MS
    took = fields.get("latency_ms", 100.0)
    return Record(
        **{
            "index": item.index,
            "arm": item.arm.name,
            "prompt_id": item.row.prompt_id,
            "planned_ns": start,
            "sent_ns": start,
            "end_ns": start + int(took * MS),
            "status": 200,
            "finish_reason": "stop",
            "prompt_tokens": 5,
            "completion_tokens": 6,
            **{
                name: value(start) if callable(value) else value
                for name, value in fields.items()
                if name != "latency_ms"
            },
        }
    )
