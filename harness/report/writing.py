"""A run's folder -> its page and CSV, from nothing but what the folder holds."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

import msgspec

from harness.checks import grade
from harness.errors import StoreError
from harness.load.schedule import planned_count
from harness.promptsets.rows import Row
from harness.records import Record
from harness.report import tabular
from harness.report.page import FILE, write_page
from harness.report.run import page_of
from harness.report.run_quality import Failure
from harness.runs.folder import RunFolder
from harness.runs.grading import grading_of
from harness.summarise import summarise
from harness.summary import Summary
from harness.verdict import Finding, Verdict, overall

_EXAMPLES: Final = 9
_OF_A_KIND: Final = 3


def write_run(path: Path) -> Path:
    folder = RunFolder(path)
    plan, rows = folder.plan, folder.rows
    grading = grading_of(plan, rows)
    told = folder.summary
    aggregate = folder.aggregate(
        told.planned if told else planned_count(plan.load, plan.seed, len(plan.arms))
    )
    summary = told or _unfinished(summarise(plan, aggregate))
    page = write_page(page_of(summary, aggregate, _failures(folder)), path / FILE)
    _replace(
        path / tabular.RECORDS, lambda file: tabular.write_records(file, folder.records(), grading)
    )
    _replace(path / tabular.SUMMARY, lambda file: tabular.write_summary(file, summary))
    return page


def _unfinished(summary: Summary) -> Summary:
    """What was recorded of a run that isn't over may be shown, and proves nothing."""
    reason = "the run is not over: no summary was written; resume it, or run it again"
    found = (Finding(name="end", verdict=Verdict.INVALID, reason=reason), *summary.findings)
    return msgspec.structs.replace(summary, findings=found, verdict=overall(found))


def _failures(folder: RunFolder) -> list[Failure]:
    """The first few of each kind, measured ones only, in the order of the requests."""
    rows = {row.prompt_id: row for row in folder.rows}
    checked = folder.plan.expect.min_pass_rate is not None
    found: list[Failure] = []
    kinds: Counter[str] = Counter()
    for record in folder.records():
        if len(found) == _EXAMPLES:
            break
        if record.index < folder.plan.first_measured or (record.ok and not checked):
            continue
        failure = _failure(record, rows[record.prompt_id])
        if failure is None:
            continue
        kind = failure.error or failure.checks[0].partition(":")[0]
        kinds[kind] += 1
        if kinds[kind] <= _OF_A_KIND:
            found.append(failure)
    return sorted(found, key=lambda failure: failure.index)


def _failure(record: Record, row: Row) -> Failure | None:
    failed = () if record.error else grade(row.checks, row.question, record.output).failures
    if not record.error and not failed:
        return None
    return Failure(
        index=record.index,
        arm=record.arm,
        prompt_id=record.prompt_id,
        category=row.category,
        question=row.question,
        answer=record.output,
        error=record.error,
        checks=failed,
    )


def _replace(path: Path, write: Callable[[TextIO], object]) -> None:
    """The old file or the new one, never a part. Raises StoreError."""
    try:
        with _beside(path) as file:
            write(file)
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[TextIO]:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
