"""How often the left side would win if both answers were equally long.

Judges like long answers, whatever is in them. So the outcome (win 1, tie ½, loss 0) is regressed on
the difference in length, by a logistic curve, and read at a difference of zero: the method of
length-controlled AlpacaEval (Dubois, Galambosi, Liang, Hashimoto: "Length-Controlled AlpacaEval",
COLM 2024), with fractional outcomes after Papke and Wooldridge (J. Applied Econometrics 11, 1996).
A weak normal prior of scale 2.5 (Gelman et al., Annals of Applied Statistics 2, 2008) keeps it
finite where length and outcome go together perfectly. The interval is Laplace's, from the
curvature at the mode; where there are many ties it is wider than it need be.

It is as good as the curve: where nearly all answers of one side are the longer ones, zero lies at
the edge of what was seen. Measured with a mean difference of 1.2 standard deviations and no skill
at all, 300 draws of 400 pairs: a liking of this shape is covered in 96 %, one that jumps at zero
in 93 % with the value 0.04 too high.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

PRIOR_SCALE: Final = 2.5
FEWEST: Final = 10
"""Below so many outcomes two parameters say nothing."""
_Z95: Final = 1.959964
_STEPS: Final = 50


class LengthControlled(msgspec.Struct, frozen=True, kw_only=True):
    """A win rate with its 95 % interval, at equal lengths."""

    value: float
    low: float
    high: float
    slope: float
    """Log odds for a long difference, as these go; above 0 the longer answer wins."""
    slope_low: float
    slope_high: float


def controlled(outcomes: Sequence[float], differences: Sequence[float]) -> LengthControlled | None:
    """`differences`: left's length less right's. None where there are fewer than FEWEST.

    Differences are scaled by their root mean square, not centred: zero has to stay zero.
    """
    if len(outcomes) < FEWEST:
        return None
    wins = np.asarray(outcomes, dtype=float)
    gaps = np.asarray(differences, dtype=float)
    scale = float(np.sqrt(np.mean(gaps**2))) or 1.0
    design = np.column_stack((np.ones_like(gaps), np.tanh(gaps / scale)))
    mode, covariance = _fit(design, wins)
    errors = _Z95 * np.sqrt(np.diag(covariance))
    return LengthControlled(
        value=_share(mode[0]),
        low=_share(mode[0] - errors[0]),
        high=_share(mode[0] + errors[0]),
        slope=float(mode[1]),
        slope_low=float(mode[1] - errors[1]),
        slope_high=float(mode[1] + errors[1]),
    )


def _fit(
    design: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    wins: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[
    np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int, int], np.dtype[np.float64]]
]:
    """Newton's method; the posterior is log-concave, so it has one mode."""
    precision = np.eye(design.shape[1]) / PRIOR_SCALE**2
    at = np.zeros(design.shape[1])
    curvature = precision
    for _ in range(_STEPS):
        expected = 1 / (1 + np.exp(-design @ at))
        slope = design.T @ (wins - expected) - precision @ at
        curvature = design.T @ (design * (expected * (1 - expected))[:, None]) + precision
        step = np.linalg.solve(curvature, slope)
        at = at + step
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004  # far below what is shown
            break
    return at, np.linalg.inv(curvature)


def _share(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
