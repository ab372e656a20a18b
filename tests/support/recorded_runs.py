"""Runs made up record by record, as folders on disk, and the same every time."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from harness import records
from harness.checks import ContainsAny
from harness.plan import Arm, Arrivals, Closed, Expectations, Load, Plan, PromptsetRef, Slo
from harness.promptsets.rows import Row
from harness.records import Record
from harness.runs.folder import RunFolder
from harness.summarise import summarise

MS = 1_000_000
CATEGORIES = ("arithmetic", "capitals", "medical", "translation")


def rows() -> tuple[Row, ...]:
    return tuple(
        Row(
            prompt_id=f"p{place}",
            prompt=f"What is the right answer to question {place}?",
            max_tokens=32,
            category=category,
            split="eval_holdout",
            checks=(ContainsAny(values=("right",)),),
        )
        for place, category in enumerate(CATEGORIES * 3)
    )


def plan(
    names: Sequence[str] = ("quant",),
    *,
    arrivals: Arrivals | None = None,
    count: int = 400,
    warmup: int = 0,
    min_pass_rate: float | None = 0.8,
) -> Plan:
    return Plan(
        run_id="r-1",
        kind="run",
        created="2026-11-23T10:00:00Z",
        harness_version="1.0.0",
        promptset=PromptsetRef(name="tiny", version=1, sha256="ab" * 32),
        arms=tuple(
            Arm(name=name, url="http://127.0.0.1:8000", model=f"team/{name}", stream=True)
            for name in names
        ),
        load=Load(arrivals=arrivals or Closed(concurrency=8), count=count, warmup=warmup),
        slo=Slo(ttft_ms=120, latency_ms=600),
        expect=Expectations(min_pass_rate=min_pass_rate),
    )


def answered(index: int, arm: str, draw: random.Random, *, right: float = 0.9) -> Record:
    """A streamed answer: every number in it is drawn."""
    begin = index * 40 * MS
    lag = round(draw.expovariate(1 / 0.2) * MS)
    first = begin + lag + round(draw.lognormvariate(3.6, 0.35) * MS)
    gaps = tuple(round(draw.lognormvariate(2.2, 0.3) * 1_000) for _ in range(19))
    output = "the right answer" if draw.random() < right else "a wrong answer"
    return Record(
        index=index,
        arm=arm,
        prompt_id=f"p{index // 2 % 12}",
        planned_ns=begin,
        sent_ns=begin + lag,
        first_ns=first,
        end_ns=first + sum(gaps) * 1_000,
        gaps_us=gaps,
        status=200,
        finish_reason="stop",
        output=output,
        prompt_tokens=21,
        completion_tokens=20,
        variant=arm,
        target=f"vllm:{arm}",
    )


def failed(index: int, arm: str, error: str = "http_5xx") -> Record:
    begin = index * 40 * MS
    return Record(
        index=index,
        arm=arm,
        prompt_id=f"p{index // 2 % 12}",
        planned_ns=begin,
        sent_ns=begin,
        end_ns=begin + 5 * MS,
        status=500,
        error=error,
    )


def record_run(
    path: Path, plan_: Plan, rows_: Iterable[Row], kept: Iterable[Record], *, over: bool = True
) -> Path:
    folder = RunFolder.create(path, plan_, rows_)
    with folder.segment() as segment:
        for record in kept:
            segment.records.append(records.encode(record))
    if over:
        folder.write_summary(summarise(plan_, folder.aggregate(plan_.load.count)))
    return folder.path


def two_arms(path: Path) -> Path:
    """1,600 requests, every other one to each arm; some fail, and `quant` is wrong more often."""
    draw = random.Random(1)
    names = ("reference", "quant")
    kept = [
        failed(index, names[index % 2], "timeout" if index % 3 else "http_5xx")
        if draw.random() < 0.02
        else answered(index, names[index % 2], draw, right=0.95 - 0.1 * (index % 2))
        for index in range(1_600)
    ]
    return record_run(path, plan(names, count=1_600), rows(), kept)


def whole_answers(path: Path) -> Path:
    """30 requests to one arm, answered at once: what is drawn fastest."""
    draw = random.Random(2)
    streamed = (answered(index, "quant", draw) for index in range(30))
    kept = (msgspec.structs.replace(one, first_ns=None, gaps_us=()) for one in streamed)
    return record_run(path, plan(count=30), rows(), kept)
