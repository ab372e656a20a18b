"""Does an answer pass its row's checks?"""

from collections.abc import Sequence

import msgspec

from harness.checks.kinds import Check
from harness.checks.text import LONGEST_ANSWER, Answer, after_echo, normalised


class Graded(msgspec.Struct, frozen=True):
    passed: bool | None
    """None: there is nothing to check."""
    failures: tuple[str, ...]
    """`kind: why`, for every check that failed."""


def grade(row_checks: Sequence[Check], question: str, answer: str) -> Graded:
    """All checks must pass. An empty answer, or one that only repeats the question, never does.

    An answer that repeats the question first is graded by what comes after.
    """
    if not row_checks:
        return Graded(None, ())
    if not normalised(answer):
        return Graded(False, ("the answer is empty",))  # noqa: FBT003
    said = after_echo(question, answer[:LONGEST_ANSWER])
    if not normalised(said) or normalised(question) in {normalised(said), normalised(answer)}:
        return Graded(False, ("the answer only repeats the question",))  # noqa: FBT003
    failures = failed(row_checks, Answer(said))
    return Graded(not failures, failures)


def failed(row_checks: Sequence[Check], answer: Answer) -> tuple[str, ...]:
    """What checks alone say, without the rules of `grade`."""
    return tuple(
        f"{check.__struct_config__.tag}: {failure}"
        for check in row_checks
        if (failure := check.failure(answer))
    )
