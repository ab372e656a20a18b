"""Is the candidate faster, longer, cheaper?"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Final

import msgspec

from harness.compare.pairing import Pair
from harness.compare.results import Cost, Length, Speed
from harness.compare.sides import Side
from harness.errors import WrongInput
from harness.records import Record
from harness.statistics.blocks import Shift, fewest, shift
from harness.statistics.means import ratio_of_means
from harness.summary import ArmSummary
from harness.verdict import Finding, Verdict

_NS_PER_MS: Final = 1_000_000
_S_PER_HOUR: Final = 3_600
_TIMES: Final[dict[str, Callable[[Record], int | None]]] = {
    "latency": lambda record: record.latency_ns,
    "time to first token": lambda record: record.ttft_ns,
    "time per output token": lambda record: record.tpot_ns,
}
_PERCENTILES: Final = {"p50": 0.5, "p95": 0.95}


def interleaved(reference: Side, candidate: Side) -> bool:
    """Both were asked in one run, so that whatever else happened happened to both."""
    return reference.run is candidate.run


def speed(pairs: Sequence[Pair], *, together: bool) -> Speed:
    if not together:
        return Speed(
            verdict=Verdict.INCONCLUSIVE,
            reason="latency is not compared: between two runs everything else may have changed, "
            "too; ask both in one (compare --reference … --candidate …)",
            shifts={},
        )
    ordered = sorted(
        (pair for pair in pairs if pair.reference.ok and pair.candidate.ok),
        key=lambda pair: pair.asked_ns,
    )
    shifts = {
        f"{what} {name}": found
        for what, time in _TIMES.items()
        for name, percentile in _PERCENTILES.items()
        if (found := _shift(ordered, time, percentile))
    }
    if not shifts:
        return Speed(
            verdict=Verdict.INCONCLUSIVE,
            reason=f"latency is not compared: a median takes {fewest(0.5)} pairs that both "
            f"answered, and more where neighbours are alike; these are {len(ordered):,} (--repeat)",
            shifts={},
        )
    return Speed(
        verdict=Verdict.PASS,
        reason=f"{len(ordered):,} interleaved pairs that both answered",
        shifts=shifts,
    )


def slowdown(found: Speed, most: float) -> Finding:
    """Is the median latency within so many times the reference's?"""
    shift_ = found.shifts.get("latency p50")
    if shift_ is None:
        return Finding(
            name="slowdown", verdict=Verdict.INCONCLUSIVE, reason=found.reason, limit=most
        )
    ratio = shift_.ratio
    verdict = _within(ratio.low, ratio.high, most)
    return Finding(
        name="slowdown",
        verdict=verdict,
        reason=f"median latency is {ratio.value:.3g} times the reference's "
        f"({ratio.low:.3g} to {ratio.high:.3g}); at most {most:g} is allowed",
        measured=ratio.value,
        limit=most,
    )


def length(pairs: Sequence[Pair]) -> Length | None:
    """A prompt that was asked again counts once, with its mean."""
    counts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pair in pairs:
        if pair.reference.ok and pair.candidate.ok:
            old, new = pair.reference.completion_tokens, pair.candidate.completion_tokens
            if old is None or new is None:
                return None
            counts[pair.row.prompt_id].append((old, new))
    if not counts:
        return None
    olds = [fmean(old for old, _ in of) for of in counts.values()]
    news = [fmean(new for _, new in of) for of in counts.values()]
    return Length(
        pairs=sum(map(len, counts.values())),
        reference=fmean(olds),
        candidate=fmean(news),
        ratio=ratio_of_means(olds, news),
    )


def length_finding(found: Length | None, least: float) -> Finding:
    """FAIL where answers are surely shorter: who says less is no better for being fast."""
    ratio = found.ratio if found else None
    if found is None or ratio is None:
        return Finding(
            name="length",
            verdict=Verdict.INCONCLUSIVE,
            reason="too few prompts that both answered, their tokens counted by the servers, for "
            "an interval of the lengths' ratio",
            limit=least,
        )
    above = _within(-ratio.high, -ratio.low, -least)
    return Finding(
        name="length",
        verdict=above,
        reason=f"answers have {found.reference:.3g} and {found.candidate:.3g} tokens, a ratio of "
        f"{ratio.value:.3g} ({ratio.low:.3g} to {ratio.high:.3g}); at least {least:g} is asked",
        measured=ratio.value,
        limit=least,
    )


class _Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    usd_per_hour: dict[str, Annotated[float, msgspec.Meta(gt=0)]]
    """By the name of an arm, or by the model that it asks."""


def prices_of(path: Path) -> dict[str, float]:
    """Raises WrongInput, naming the file and the key."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_Prices).usd_per_hour
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongInput(f"{path}: {error}") from None


def cost(side: Side, prices: dict[str, float]) -> Cost:
    """What answers cost, if what answers is paid by the hour and had this run's load alone."""
    price = prices.get(side.arm.name, prices.get(side.arm.model))
    figures = side.summary
    if price is None:
        return Cost(
            usd_per_hour=None,
            usd_per_1k_requests=None,
            usd_per_1m_output_tokens=None,
            note=f"no price is known for {side.arm.name}",
        )
    paid = price * figures.duration_s / _S_PER_HOUR
    shared = " of both arms" if len(side.run.plan.arms) > 1 else ""
    return Cost(
        usd_per_hour=price,
        usd_per_1k_requests=_per(paid, _answered(figures), 1_000),
        usd_per_1m_output_tokens=_per(paid, figures.completion_tokens, 1_000_000),
        note=f"at the load of this run, over the {figures.duration_s:.3g} s{shared}",
    )


def _per(paid: float, count: int | None, many: int) -> float | None:
    return paid / count * many if count and paid else None


def _answered(figures: ArmSummary) -> int:
    return figures.requests - figures.error_rate.count


def _within(low: float, high: float, most: float) -> Verdict:
    if high <= most:
        return Verdict.PASS
    return Verdict.FAIL if low > most else Verdict.INCONCLUSIVE


def _shift(
    pairs: Sequence[Pair], time: Callable[[Record], int | None], percentile: float
) -> Shift | None:
    times = [(time(pair.reference), time(pair.candidate)) for pair in pairs]
    known = [(old, new) for old, new in times if old and new]
    return shift(
        [old / _NS_PER_MS for old, _ in known], [new / _NS_PER_MS for _, new in known], percentile
    )
