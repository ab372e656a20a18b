"""The page's parts on speed and memory, and on who was asked."""

from typing import Final

from harness.recovery.plan import REPEAT, RecoveryPlan
from harness.recovery.results import ArmTold, Pairing, Recovery
from harness.report.page import Cell, Section, Table, unknown
from harness.report.wording import DASH, count, milliseconds, number
from harness.statistics.interval import Interval

FLOOR: Final = "reference against itself"
_MIB: Final = 2**20
_NOT_TIMED: Final = "too few turns were timed"
_NOT_TOLD: Final = "the engine did not say, or could not be asked"
_MACHINES: Final = (
    "Speed and memory are those of the engines that were asked, on their machines and by the way "
    "that they were asked. Where there is no kernel for 4-bit weights (docs/adr/0005) an engine "
    "unpacks them when it loads them: it answers as the 4-bit model does, and is neither smaller "
    "nor faster. Compare speed and memory on the hardware that will serve."
)


def pairings(found: Recovery) -> tuple[tuple[str, Pairing], ...]:
    return ((found.plan.candidate.model, found.candidate), (FLOOR, found.floor))


def speed(found: Recovery) -> Section:
    told = [(name, one.speed) for name, one in pairings(found)]
    return Section(
        heading="Speed",
        prose=(
            (
                "Candidate over reference, asked the same in turns, with answers of "
                f"{found.plan.timed_tokens} tokens whatever the model wants to say: latencies "
                "below 1 and throughput above 1 are better. The first token's time is that of a "
                "whole answer of one token."
            ),
            _MACHINES,
        ),
        table=Table(
            columns=("", "first token", "per token", "latency", "throughput"),
            rows=tuple(
                (
                    name,
                    *(
                        _ratio(None if one is None else interval)
                        for interval in (
                            (None,) * 4
                            if one is None
                            else (one.first_token, one.per_token, one.latency, one.throughput)
                        )
                    ),
                )
                for name, one in told
            ),
        ),
    )


def _ratio(found: Interval | None) -> str | Cell:
    if found is None:
        return unknown(_NOT_TIMED)
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})"


def memory(found: Recovery) -> Section:
    told = [arm for arm in found.arms if arm.arm != REPEAT]
    return Section(
        heading="Memory",
        prose=(
            (
                "Of the weights on disk, of the KV cache that the engine set aside, and of the "
                "process that answers HTTP."
            ),
        ),
        table=Table(
            columns=("", "weights", "KV cache", "server process"),
            rows=tuple(
                (
                    found.plan.side(arm.arm).model,
                    *map(_mib, (arm.memory.weights, arm.memory.kv_cache, arm.memory.server)),
                )
                for arm in told
            ),
        ),
    )


def _mib(size: int | None) -> str | Cell:
    return unknown(_NOT_TOLD) if size is None else f"{number(size / _MIB)} MiB"


def arms(found: Recovery) -> Section:
    return Section(
        heading="What was asked",
        prose=("The reference is asked a second time, as the arm `repeat`, to see its noise.",),
        table=Table(
            columns=(
                "",
                "model",
                "answered by",
                "observed",
                "failed",
                "first token",
                "a token",
                "latency",
                "tokens/s",
            ),
            text_columns=(0, 1, 2),
            rows=tuple(_arm(found.plan, arm) for arm in found.arms),
        ),
    )


def _arm(plan: RecoveryPlan, arm: ArmTold) -> tuple[str | Cell, ...]:
    timing = arm.timing
    times = (
        (unknown(_NOT_TIMED),) * 4
        if timing is None
        else (
            milliseconds(timing.first_token_ms),
            milliseconds(timing.per_token_ms),
            milliseconds(timing.latency_ms),
            unknown(_NOT_TIMED) if timing.tokens_per_s is None else number(timing.tokens_per_s),
        )
    )
    return (
        arm.arm,
        plan.side(arm.arm).model,
        ", ".join(arm.targets) or DASH,
        count(arm.error_rate.of),
        count(arm.error_rate.count),
        *times,
    )
