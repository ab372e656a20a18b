"""What a comparison found: `compare.json`. Differences are candidate minus reference."""

from typing import Final

import msgspec

from harness.plan import PromptsetRef
from harness.statistics.blocks import Shift
from harness.statistics.interval import Interval
from harness.statistics.paired import Flips
from harness.summary import ArmSummary, Rate
from harness.verdict import Finding, Verdict

FILE: Final = "compare.json"


class SideTold(msgspec.Struct, frozen=True, kw_only=True):
    label: str
    run: str
    """The run's folder."""
    run_id: str
    url: str
    model: str
    figures: ArmSummary


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that one of them passed and the other didn't, with both answers."""

    prompt_id: str
    repeat: int
    category: str
    question: str
    reference: str
    candidate: str
    """An answer, or in brackets why there is none."""


class CategoryRates(msgspec.Struct, frozen=True, kw_only=True):
    reference: Rate
    candidate: Rate
    difference: Interval


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """The reference against itself: prompts asked again, and how often the verdict changed."""

    flipped: Rate


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Pass and fail of the same items; an answer that never came did not pass."""

    pairs: int
    prompts: int
    """Answers to one prompt asked again count as one prompt's evidence."""
    reference: Rate
    candidate: Rate
    difference: Interval
    """Of the pass rates, 95 % (Tango)."""
    ratio: Interval | None
    """Candidate's pass rate over the reference's, 95 % (Nam, Blackwelder); None where the reference
    passed nothing."""
    margin: float
    p_different: float
    """Exact McNemar over prompts, two-sided."""
    p_inferior: float
    """Of being worse by the margin or more, one-sided; below 0.025 is not inferior."""
    flips: Flips
    lost: tuple[Flip, ...]
    gained: tuple[Flip, ...]
    by_category: dict[str, CategoryRates]
    noise: Noise | None
    """None where no prompt was asked again."""


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Latency shifts in milliseconds; a verdict of its own, which the comparison's is not."""

    verdict: Verdict
    """PASS: compared. INCONCLUSIVE: not compared, for the reason said."""
    reason: str
    shifts: dict[str, Shift]
    """`latency p50`, `latency p95`, `time to first token p50`, `time per output token p50`."""


class Length(msgspec.Struct, frozen=True, kw_only=True):
    """Completion tokens, as the servers counted them, of pairs that both answered."""

    pairs: int
    reference: float
    candidate: float
    """Mean per answer."""
    ratio: Interval | None
    """95 % (Fieller); None where there are too few prompts."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Of the time that the run took, at the load it put on; None is unknown, never 0."""

    usd_per_hour: float | None
    usd_per_1k_requests: float | None
    usd_per_1m_output_tokens: float | None
    note: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    verdict: Verdict
    findings: tuple[Finding, ...]
    """Worst first."""
    promptset: PromptsetRef
    reference: SideTold
    candidate: SideTold
    quality: Quality | None
    """None where no row has checks, or nothing could be paired."""
    speed: Speed
    length: Length | None
    """None where a server did not count its tokens."""
    costs: tuple[Cost, Cost]
