"""Do two agree on pass and fail by more than chance would have it?"""

from typing import Final

import msgspec
import numpy as np

_DRAWS: Final = 20_000
_SEED: Final = 20260101


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """How often the judge passed an answer, against what was expected."""

    passed_rightly: int = 0
    passed_wrongly: int = 0
    failed_wrongly: int = 0
    failed_rightly: int = 0

    @property
    def cells(self) -> tuple[int, int, int, int]:
        return self.passed_rightly, self.passed_wrongly, self.failed_wrongly, self.failed_rightly


class Kappa(msgspec.Struct, frozen=True, kw_only=True):
    """Cohen's kappa (Educational and Psychological Measurement 20, 1960) with a 95 % interval.

    The interval is of the posterior under Jeffreys' prior on the four cells: unlike the textbook's
    standard error it has a width where all agree.
    """

    value: float
    low: float
    high: float


def kappa(confusion: Confusion) -> Kappa | None:
    """None where nothing was judged, or where all are of one kind, so that chance explains all."""
    counts = np.asarray(confusion.cells, dtype=float)
    if not counts.sum() or np.isnan(value := float(_kappa(counts / counts.sum()))):
        return None
    draws = np.random.default_rng(_SEED).dirichlet(counts + 0.5, _DRAWS)
    low, high = np.quantile(_kappa(draws), (0.025, 0.975))
    return Kappa(value=value, low=min(value, float(low)), high=max(value, float(high)))


def _kappa(shares: np.ndarray) -> np.ndarray:
    """Of cells along the last axis, in the order of `Confusion.cells`."""
    both, judge_only, expected_only, neither = np.moveaxis(shares, -1, 0)
    judge, expected = both + judge_only, both + expected_only
    chance = judge * expected + (1 - judge) * (1 - expected)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1, (both + neither - chance) / (1 - chance), np.nan)
