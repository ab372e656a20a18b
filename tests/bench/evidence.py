"""How often the harness' statements would be wrong, on data whose truth is known.

Seeded, so that the figures are the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from harness.histogram import Histogram
from harness.statistics.blocks import shift
from harness.statistics.paired import Flips, rate_difference
from harness.statistics.quantiles import percentile
from harness.statistics.sequences import ConfidenceSequence
from tests.bench.measurement import Measurement
from tests.bench.stand_ins import Surroundings

Draws = NDArray[np.float64]
RUNS = 400
SHARDS = 64


def evidence(_around: Surroundings) -> list[Measurement]:
    return [
        Measurement(
            name="A/A watched at every step of 500, called different",
            value=float(100 * _called_different(np.random.default_rng(1))),
            unit="%",
            limit=5,
        ),
        _covers("paired difference of 60 items", _paired(np.random.default_rng(2))),
        _covers("ratio of latencies that hang together", _shift(np.random.default_rng(3))),
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
    found = [shift(_following(draw, 100), _following(draw, 110)) for _ in range(RUNS)]
    told = [one.ratio for one in found if one is not None]
    return sum(not one.excludes(1.1) for one in told) / len(told)


def _following(draw: np.random.Generator, middle_ms: float) -> list[float]:
    """Latencies of which each is, but for noise, 0.9 times the last one, on a log scale."""
    noise = draw.normal(size=700)
    values: Draws = lfilter([np.sqrt(1 - 0.9**2)], [1, -0.9], noise)
    return [float(one) for one in middle_ms * np.exp(0.3 * values[100:])]


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
