"""What a candidate must keep of the reference: thresholds, read from TOML strictly."""

from pathlib import Path
from typing import Annotated, Final, Self

import msgspec

from harness.errors import PolicyError
from harness.plan import Positive, Share

EXAMPLE: Final = Path(__file__).with_name("policy.toml")
"""The defaults, to copy from."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An unknown key is an error: a misspelt threshold would not be asked for."""


class QualityPolicy(_Table, frozen=True, kw_only=True):
    min_recovery: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.99
    """Candidate's pass rate over the reference's. MLPerf's bars are 0.99 and 0.999."""
    margin: Share = 0.06
    """How far below it the lower end of the 95 % interval may lie."""


class FidelityPolicy(_Table, frozen=True, kw_only=True):
    """Above the noise floor, on the reference's own answers."""

    max_kl: Positive = 0.05
    """Mean KL divergence from the reference, nats a token."""
    min_top1: Share = 0.95
    """Share of positions at which both find the same token most probable."""
    min_rows: Annotated[int, msgspec.Meta(ge=2)] = 20
    """With fewer rows the intervals mean nothing."""


class AnswersPolicy(_Table, frozen=True, kw_only=True):
    min_length_ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.9
    """Generated tokens over the reference's; MLPerf asks for 0.9."""
    max_error_rate: Share = 0.01


class FloorPolicy(_Table, frozen=True, kw_only=True):
    """Beyond these the reference doesn't even agree with itself, and nothing can be said."""

    max_kl: Positive = 0.01
    min_top1: Share = 0.98
    max_flips: Share = 0.05
    """Rows that it passes once and fails once."""
    min_pass_rate: Share = 0.5
    """A reference that fails its own promptset is none."""


class SpeedPolicy(_Table, frozen=True, kw_only=True):
    """Not asked for unless set: speed is that of the machines at hand."""

    min_speedup: Positive | None = None
    """Reference's latency over the candidate's, for answers of the same length."""
    max_bias: Positive = 0.1
    """How far from 1 the reference's speed over its own may surely be."""


class Policy(_Table, frozen=True, kw_only=True):
    quality: QualityPolicy = QualityPolicy()
    fidelity: FidelityPolicy = FidelityPolicy()
    answers: AnswersPolicy = AnswersPolicy()
    floor: FloorPolicy = FloorPolicy()
    speed: SpeedPolicy = SpeedPolicy()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises PolicyError, naming the file, the key and what is allowed."""
        try:
            return msgspec.toml.decode(path.read_bytes(), type=cls)
        except OSError as error:
            raise PolicyError(f"{path}: {error.strerror}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PolicyError(f"{path}: {error}") from None
