"""Were a run's answers right? Said by the checks of its rows, again whenever somebody asks."""

from collections.abc import Iterable, Mapping

from harness.aggregate import Grade, ungraded
from harness.checks import grade
from harness.plan import Plan
from harness.promptsets.rows import Row
from harness.records import Record


def grade_with(rows: Iterable[Row]) -> Grade:
    """Did a record's answer pass its row's checks? None where the row has none.

    A request that failed did not pass. Raises KeyError for a record of another promptset.
    """
    by_id = {row.prompt_id: (row.checks, row.question) for row in rows}

    def graded(record: Record) -> bool | None:
        checks, question = by_id[record.prompt_id]
        if not checks:
            return None
        return not record.error and bool(grade(checks, question, record.output).passed)

    return graded


def grading_of(plan: Plan, rows: Iterable[Row]) -> Grade:
    """`grade_with`, where the plan has answers checked."""
    return ungraded if plan.expect.min_pass_rate is None else grade_with(rows)


def categories_of(rows: Iterable[Row]) -> Mapping[str, str]:
    return {row.prompt_id: row.category for row in rows}
