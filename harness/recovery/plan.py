"""What is measured, fixed before the first request and kept beside the observations."""

from typing import Annotated, Final

import msgspec

from harness.plan import Count, Positive, PromptsetRef
from harness.recovery.policy import Policy

REFERENCE: Final = "reference"
REPEAT: Final = "repeat"
"""The reference once more: what it differs from itself is the noise floor."""
CANDIDATE: Final = "candidate"
ARMS: Final = (REFERENCE, REPEAT, CANDIDATE)

FILE: Final = "recovery-plan.json"


class Side(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str
    """Of the gateway or of an engine, without the path."""
    model: str
    """A team, `team/variant`, or the name that an engine serves."""
    metrics_url: str | None = None
    """Of the engine behind it, where that can be asked for its memory."""
    weights_bytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Size of its weights on disk, where somebody said where they are."""


class RecoveryPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    run_id: str
    created: str
    """UTC, ISO 8601."""
    harness_version: str
    promptset: PromptsetRef
    rows: Count | None = None
    """Only the first so many of them."""
    reference: Side
    candidate: Side
    policy: Policy = Policy()
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    concurrency: Count = 4
    """Requests at once, of all arms together; also the batch in which throughput is timed."""
    timings: Annotated[int, msgspec.Meta(ge=0)] = 66
    """Times that every arm is timed, in turns; 0: speed is not measured."""
    timed_tokens: Annotated[int, msgspec.Meta(ge=2)] = 32
    top: Annotated[int, msgspec.Meta(ge=1, le=20)] = 20
    """Log-probabilities a position; vLLM gives 20 at most."""
    timeout_s: Positive = 120.0

    @property
    def is_one_model(self) -> bool:
        return (self.reference.url, self.reference.model) == (
            self.candidate.url,
            self.candidate.model,
        )

    def side(self, arm: str) -> Side:
        return self.candidate if arm == CANDIDATE else self.reference
