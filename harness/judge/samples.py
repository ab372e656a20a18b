"""The rows of a promptset that carry a candidate answer and what a judge should say of it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from harness.errors import PromptsetError
from harness.judge.scoring import DIMENSIONS, Case
from harness.promptsets.rows import Row, ScoreBands

KNOWN_BAD: Final = frozenset({"off_topic", "empty", "echo", "insult", "injection", "refusal"})
"""Categories of answers that nobody may pass, whatever the question: it takes no knowledge."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    sample_id: str
    question: str
    answer: str
    reference: str | None = None
    category: str = ""
    bands: dict[str, tuple[float, float]]
    """Lowest and highest score expected, by dimension; what is not in here is not asked."""
    passes: bool | None
    """None: not asked."""
    known_bad: bool = False

    @property
    def case(self) -> Case:
        return Case(
            case_id=self.sample_id,
            question=self.question,
            answer=self.answer,
            reference=self.reference,
            category=self.category,
        )


def samples_of(rows: Iterable[Row], name: str) -> list[Sample]:
    """Raises PromptsetError where no row has a candidate answer."""
    found = [_sample(row, row.candidate, row.expected) for row in rows if row.expected is not None]
    if not found:
        raise PromptsetError(
            f"promptset {name}: no row has a candidate answer with its expected scores; "
            "eval-calibration is such a set"
        )
    return found


def _sample(row: Row, candidate: str | None, expected: ScoreBands) -> Sample:
    return Sample(
        sample_id=row.prompt_id,
        question=row.question,
        answer=candidate or "",
        reference=row.reference,
        category=row.category,
        bands={name: band for name in DIMENSIONS if (band := getattr(expected, name)) is not None},
        passes=expected.passed,
        known_bad=row.category in KNOWN_BAD and expected.passed is False,
    )
