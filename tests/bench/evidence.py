"""How often the harness' statements would be wrong, on data whose truth is known.

Seeded, so that the figures are the same on every machine.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtri

from harness.histogram import Histogram
from harness.statistics import blocks
from harness.statistics.interval import Interval
from harness.statistics.means import ratio_of_means
from harness.statistics.paired import Flips, rate_difference, rate_ratio
from harness.statistics.proportions import wilson
from harness.statistics.quantiles import percentile
from harness.statistics.sequences import ConfidenceSequence, difference
from tests.bench.measurement import Measurement
from tests.bench.stand_ins import Surroundings
from tests.support.exact import ratio_passed_at

Draws = NDArray[np.float64]
_SPREAD: Final = 0.3
_BEFORE: Final = 100
"""Draws before the first latency, which so has no beginning."""
RUNS = 400
MANY = 2_000
SHARDS = 64
MODES: Final = (
    (0.5, 0.52, 0.52, "52 % ten times as long"),
    (0.95, 0.06, 0.06, "6 % ten times as slow"),
    (0.95, 0.06, 0.9, "6 % ten times as slow, in phases of ten"),
)
"""Percentile, share of long ones, and how often one follows a long one."""


def evidence(_around: Surroundings) -> list[Measurement]:
    return [
        Measurement(
            name="A/A watched at every step of 500, called different",
            value=float(100 * _called_different(np.random.default_rng(1))),
            unit="%",
            limit=5,
        ),
        _covers("paired difference of 60 items", _paired(np.random.default_rng(2))),
        _covers("recovery of 60 items", _recovery(np.random.default_rng(6))),
        _covers("share of 60, 97 % true", _share(np.random.default_rng(7))),
        _covers("ratio of 10 answers' lengths", _lengths(np.random.default_rng(8))),
        _covers("A/B of 60 and 60 prompts", _unpaired(np.random.default_rng(9))),
        _covers("ratio of latencies that hang together", _shift(np.random.default_rng(3))),
        *(
            _covers(
                f"p{100 * share:g} of {blocks.fewest_values(share):,}, each {tie:g} times the last",
                _level(np.random.default_rng(10), share, tie),
            )
            for share in (0.5, 0.95)
            for tie in (0, 0.5, 0.9)
        ),
        *(
            _covers(
                f"p{100 * share:g} of {blocks.fewest_values(share):,}, {of}",
                _two_modes(np.random.default_rng(11), share, long, stay),
            )
            for share, long, stay, of in MODES
        ),
        *(
            _covers(
                f"goodput of 1,000, 90 % true, each {tie:g} times the last",
                _goodput(np.random.default_rng(12), tie),
            )
            for tie in (0, 0.5, 0.9)
        ),
        Measurement(
            name="ratio 0.99 passed, candidate exactly there, 200 to 5,000 items",
            value=100
            * max(ratio_passed_at(0.99, items) for items in (200, 381, 600, 2_000, 5_000)),
            unit="%",
            limit=2.5,
        ),
        _covers("p99 of 500", _p99(np.random.default_rng(4))),
        Measurement(
            name=f"buckets that differ, {SHARDS} shards merged",
            value=float(_differing(np.random.default_rng(5))),
            unit="buckets",
            limit=0,
        ),
    ]


def _covers(what: str, share: float) -> Measurement:
    name = f"95 % interval covers, {what}"
    return Measurement(name=name, value=float(100 * share), unit="%", limit=93, at_least=True)


def _called_different(draw: np.random.Generator) -> float:
    """What was excluded at one step stays excluded, so the last interval tells of all."""
    answers = draw.random((RUNS, 500, 2)) < 0.8  # passed, by either
    differences = (answers[..., 1].astype(float) - answers[..., 0]).tolist()
    return sum(ConfidenceSequence.of(one).interval().excludes(0) for one in differences) / RUNS


def _paired(draw: np.random.Generator) -> float:
    both, lost, gained = 0.85, 0.06, 0.03
    flips = draw.multinomial(60, (both, lost, gained, 1 - both - lost - gained), size=5 * RUNS)
    held = (
        not rate_difference(Flips(both=b, lost=less, gained=more, neither=no)).excludes(
            gained - lost
        )
        for b, less, more, no in flips.tolist()
    )
    return sum(held) / (5 * RUNS)


def _shift(draw: np.random.Generator) -> float:
    found = [
        blocks.shift(_following(draw, 600, 0.9, 100), _following(draw, 600, 0.9, 110))
        for _ in range(RUNS)
    ]
    return _held([one.ratio for one in found if one is not None], 1.1)


def _level(draw: np.random.Generator, share: float, tie: float) -> float:
    """At the fewest values that are answered for."""
    values = blocks.fewest_values(share)
    found = [blocks.level(_following(draw, values, tie, 100), share) for _ in range(MANY)]
    return _held(found, 100 * np.exp(_SPREAD * ndtri(share)))


def _two_modes(draw: np.random.Generator, share: float, long: float, stay: float) -> float:
    """At the fewest values that are answered for."""
    values = blocks.fewest_values(share)
    truth = float(np.quantile(_of_two_modes(draw, 2_000_000, long, long), share))
    found = [blocks.level(_of_two_modes(draw, values, long, stay), share) for _ in range(RUNS)]
    return _held(found, truth)


def _of_two_modes(draw: np.random.Generator, count: int, long: float, stay: float) -> list[float]:
    """Around 100 ms, and a share around 1,000: of those one `stay` follows another such."""
    ends = {True: 1 - stay, False: (1 - stay) * long / (1 - long)}
    late: NDArray[np.bool_] = np.zeros(0, bool)
    now = bool(draw.random() < long)
    while late.size < count:
        phases = draw.geometric([ends[now], ends[not now]], size=(count // 4 + 1, 2))
        which = np.tile([now, not now], len(phases))
        late = np.concatenate([late, np.repeat(which, phases.ravel())])
    spread: Draws = np.exp(0.1 * draw.normal(size=count))
    values: Draws = np.where(late[:count], 1_000.0, 100.0) * spread
    return [float(one) for one in values]


def _goodput(draw: np.random.Generator, tie: float) -> float:
    limit = 100 * np.exp(_SPREAD * ndtri(0.9))
    found = (
        blocks.share([one <= limit for one in _following(draw, 1_000, tie, 100)])
        for _ in range(MANY)
    )
    return sum(one.low <= 0.9 <= one.high for one in found) / MANY


def _following(draw: np.random.Generator, count: int, tie: float, middle_ms: float) -> list[float]:
    """Latencies of which each is, but for noise, `tie` times the last one, on a log scale."""
    noise = draw.normal(size=count + _BEFORE)
    values: Draws = lfilter([np.sqrt(1 - tie**2)], [1, -tie], noise)
    return [float(one) for one in middle_ms * np.exp(_SPREAD * values[_BEFORE:])]


def _recovery(draw: np.random.Generator) -> float:
    both, lost, gained = 0.85, 0.06, 0.03
    flips = draw.multinomial(60, (both, lost, gained, 1 - both - lost - gained), size=MANY)
    found = [
        rate_ratio(Flips(both=b, lost=less, gained=more, neither=no))
        for b, less, more, no in flips.tolist()
    ]
    return _held(found, (both + gained) / (both + lost))


def _share(draw: np.random.Generator) -> float:
    rates = [wilson(count, 60) for count in draw.binomial(60, 0.97, size=MANY).tolist()]
    return sum(one.low <= 0.97 <= one.high for one in rates) / MANY


def _lengths(draw: np.random.Generator) -> float:
    shorter, noise = np.log(0.9), 0.2
    reference: Draws = draw.lognormal(4, 0.6, size=(MANY, 10))
    candidate: Draws = reference * draw.lognormal(shorter, noise, size=(MANY, 10))
    pairs = zip(reference.tolist(), candidate.tolist(), strict=True)
    return _held([ratio_of_means(*pair) for pair in pairs], np.exp(shorter + noise**2 / 2))


def _unpaired(draw: np.random.Generator) -> float:
    def seen(rate: float) -> Interval:
        answers = (draw.random(60) < rate).astype(float).tolist()
        return ConfidenceSequence.of(answers, low=0.0, high=1.0, level=0.975).interval()

    return _held([difference(seen(0.9), seen(0.8)) for _ in range(RUNS)], -0.1)


def _held(found: Sequence[Interval | None], truth: float) -> float:
    """Of those that were told."""
    told = [one for one in found if one is not None]
    return sum(not one.excludes(truth) for one in told) / len(told)


def _p99(draw: np.random.Generator) -> float:
    truth_ms = 10 * np.log(100)
    held = 0
    for values in draw.exponential(10_000, size=(RUNS, 500)).astype(int).tolist():
        found = percentile(Histogram.of(values), 0.99)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth_ms <= found.high
    return held / RUNS


def _differing(draw: np.random.Generator) -> int:
    values = draw.lognormal(10, 1, size=100_000).astype(int).tolist()
    merged = Histogram()
    for shard in range(SHARDS):
        merged.update(Histogram.of(values[shard::SHARDS]))
    whole = Histogram.of(values).counts
    buckets = whole.keys() | merged.counts.keys()
    return sum(whole.get(bucket) != merged.counts.get(bucket) for bucket in buckets)
