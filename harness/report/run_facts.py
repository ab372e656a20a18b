"""What was planned, in words: whoever reads them can do it again."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from harness.plan import Arm, Burst, Closed, Constant, Load, Plan, Poisson, Ramp, Slo, Steps
from harness.report.wording import count, moment, plural, seconds
from harness.summary import Summary

_CHECKSUM: Final = 12
_ARRIVALS: Final[Mapping[type, Callable[[Any], str]]] = {
    Closed: lambda load: f"closed loop, {count(load.concurrency)} at once",
    Constant: lambda load: f"open loop, {load.rate:,g} a second",
    Poisson: lambda load: f"open loop, Poisson arrivals, {load.rate:,g} a second",
    Ramp: lambda load: f"open loop, {load.from_rate:,g} to {load.to_rate:,g} a second",
    Burst: lambda load: f"open loop, {count(load.size)} at once every {seconds(load.every_s)}",
    Steps: lambda load: (
        f"open loop, steps of {', '.join(f'{rate:,g}' for rate in load.rates)} a second"
    ),
}


def arrivals(load: Load) -> str:
    return _ARRIVALS[type(load.arrivals)](load.arrivals)


def facts(summary: Summary) -> Iterator[tuple[str, str]]:
    plan = summary.plan
    yield "run", plan.run_id
    yield "begun", moment(plan.created)
    yield "promptset", _promptset(plan)
    for arm in plan.arms:
        yield f"asked, {arm.name}" if len(plan.arms) > 1 else "asked", _asked(arm)
    yield "load", f"{arrivals(plan.load)}, {_length(plan)}"
    yield "generation", _generation(plan)
    if objectives := _objectives(plan.slo):
        yield "objectives", objectives
    yield "seed", str(plan.seed)
    yield "records", f"{count(summary.recorded)} of {plural(summary.planned, 'planned request')}"
    if summary.client.segments > 1:
        yield "resumed", plural(summary.client.segments - 1, "time")
    if plan.shards > 1:
        yield "shards", count(plan.shards)
    yield "harness", plan.harness_version


def _promptset(plan: Plan) -> str:
    ref = plan.promptset
    parts = [f"{ref.name} v{ref.version}", f"sha256 {ref.sha256[:_CHECKSUM]}"]
    chosen = (
        ("split", (ref.split,) if ref.split else ()),
        ("categories", ref.categories),
        ("buckets", ref.buckets),
    )
    parts += [f"{name}: {', '.join(values)}" for name, values in chosen if values]
    return ", ".join(parts)


def _asked(arm: Arm) -> str:
    how = "streamed" if arm.stream else "whole answers"
    return f"{arm.model} at {arm.url}, {arm.api}, {how}, at most {seconds(arm.timeout_s)} each"


def _length(plan: Plan) -> str:
    load, first = plan.load, plan.first_measured
    much = seconds(load.duration_s) if load.duration_s else plural(load.count or 0, "request")
    return f"{much}, the first {count(first)} left out" if first else much


def _generation(plan: Plan) -> str:
    asked = plan.generation
    parts = [
        f"temperature {asked.temperature:g}",
        f"at most {count(asked.max_tokens)} tokens"
        if asked.max_tokens
        else "each row's own length",
        "a seed per request" if asked.seeded else "no seed",
    ]
    if asked.unique_prefix:
        parts.append("unique prefixes")
    parts += [f"{name}={value!r}" for name, value in asked.extra.items()]
    return ", ".join(parts)


def _objectives(slo: Slo) -> str:
    limits = (
        ("time to first token", slo.ttft_ms),
        ("time per output token", slo.tpot_ms),
        ("latency", slo.latency_ms),
    )
    return ", ".join(f"{name} ≤ {most:,g} ms" for name, most in limits if most is not None)
