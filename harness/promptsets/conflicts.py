"""Can a row's checks tell its own answer from those of the other rows?"""

from dataclasses import dataclass, field

from harness.checks.grading import failed
from harness.checks.text import Answer, normalised
from harness.promptsets.rows import Row


@dataclass(slots=True)
class Answers:
    """The answers of the rows so far, each read once however many checks look at it."""

    rows: list[tuple[Row, Answer]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        if row.checks and row.reference is not None:
            self.rows.append((row, Answer(row.reference)))

    def passing(self, row: Row) -> Row | None:
        """Another row whose answer passes this one's checks."""
        if not row.checks:
            return None
        return next(
            (
                other
                for other, answer in self.rows
                if other.prompt_id != row.prompt_id and not failed(row.checks, answer)
            ),
            None,
        )

    def passed_by(self, row: Row) -> Row | None:
        """Another row whose checks this one's answer passes."""
        if not row.checks or row.reference is None:
            return None
        own = Answer(row.reference)
        return next((other for other, _ in self.rows if not failed(other.checks, own)), None)


def echo_passes(row: Row) -> bool:
    """Whether repeating the prompt, or the whole conversation, passes the row's checks alone."""
    conversation = "\n".join(turn.content for turn in row.turns)
    echoes = {row.question, conversation, row.question.rstrip(" ?.!:"), f'"{row.question}"'}
    return bool(row.checks) and any(not failed(row.checks, Answer(echo)) for echo in echoes)


def asked(row: Row) -> str:
    """What makes two rows the same: what is asked, and of a judge what is judged."""
    turns = "\n".join(f"{turn.role}: {normalised(turn.content)}" for turn in row.turns)
    return turns if row.candidate is None else f"{turns}\n> {normalised(row.candidate)}"
