"""A run on disk: all that was planned, asked and observed, and nothing from elsewhere.

    <run_id>/plan.json              what it does, written first
             prompts.jsonl          the rows that it asks
             records/0000.jsonl     one, and one more for each time that it was resumed
             health/0000.jsonl      of the client, by the second
             summary.json           when it is over

A process that is killed leaves at worst an unfinished last line, which isn't read and is cut off
when the run is resumed.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from harness import plan as plans
from harness import summary as summaries
from harness.aggregate import Aggregate
from harness.errors import StoreError, WrongInput
from harness.load.health import Pulse
from harness.plan import Plan
from harness.promptsets.rows import Row, encoded
from harness.records import Record
from harness.runs.grading import categories_of, grading_of
from harness.runs.journal import Journal, cannot_read, cannot_write, lines_of, mend, write_whole
from harness.summary import Summary

PROMPTS = "prompts.jsonl"
RECORDS = "records"
HEALTH = "health"

_Line = TypeVar("_Line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What one process adds to a run."""

    records: Journal
    health: Journal


class RunFolder:
    """Everything raises StoreError, naming the file, for what can't be read or written."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: Path, plan: Plan, rows: Iterable[Row]) -> Self:
        """A run that has not begun. Whole, or nothing is left of it."""
        prompts = encoded(tuple(rows))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            write_whole(path / PROMPTS, prompts)
            write_whole(path / plans.FILE, _pretty(plan))
        except StoreError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return cls(path)

    @cached_property
    def plan(self) -> Plan:
        """Raises PlanError where it is none."""
        path = self.path / plans.FILE
        try:
            return plans.plan_of(msgspec.json.decode(path.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            raise WrongInput(f"{self.path} is not a run: there is no {plans.FILE} in it") from None
        except OSError as error:
            raise cannot_read(path, error) from None
        except msgspec.DecodeError as error:
            raise StoreError(f"{path}: {error}") from None

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Written at once, so that an unfinished line of theirs is damage."""
        return tuple(_decoded([self.path / PROMPTS], Row, torn_end=False))

    def records(self) -> Iterator[Record]:
        """In the order in which they were written; each is checked as it is read."""
        return _decoded(self._segments(RECORDS), Record)

    def health(self) -> Iterator[Pulse]:
        return _decoded(self._segments(HEALTH), Pulse)

    @property
    def segments(self) -> int:
        return len(self._segments(RECORDS))

    @property
    def summary(self) -> Summary | None:
        """None while the run is not over."""
        path = self.path / summaries.FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Summary)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise cannot_read(path, error) from None
        except msgspec.DecodeError as error:
            raise StoreError(f"{path}: {error}") from None

    def write_summary(self, summary: Summary) -> None:
        write_whole(self.path / summaries.FILE, _pretty(summary))

    def aggregate(self, planned: int | None = None) -> Aggregate:
        """`planned`: where it is known; else as the plan, or the summary, has it."""
        if planned is None and (summary := self.summary):
            planned = summary.planned
        try:
            return Aggregate.of(
                self.records(),
                self.plan,
                grading_of(self.plan, self.rows),
                categories=categories_of(self.rows),
                health=self.health(),
                planned=planned,
                segments=max(1, self.segments),
            )
        except KeyError as error:
            raise StoreError(
                f"{self.path / RECORDS}: a record names {error}, which the plan doesn't have"
            ) from None
        except ValueError as error:  # times that run backwards
            raise StoreError(f"{self.path / RECORDS}: {error}") from None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process at a time records into a run; held until that process ends, at most."""
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise cannot_read(self.path, error) from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(folder)
            raise StoreError(f"{self.path} is being recorded by another process") from None
        try:
            yield
        finally:
            os.close(folder)

    def mend(self) -> None:
        """Cuts off what a killed process left unfinished. Only with the lock."""
        for kind in (RECORDS, HEALTH):
            for last in self._segments(kind)[-1:]:
                mend(last)

    @contextlib.contextmanager
    def segment(self) -> Iterator[Segment]:
        """New files to record into. Only with the lock, and after `mend`."""
        name = f"{self.segments:04d}.jsonl"
        with (
            Journal(self.path / RECORDS / name) as records,
            Journal(self.path / HEALTH / name) as health,
        ):
            yield Segment(records=records, health=health)

    def _segments(self, kind: str) -> list[Path]:
        return sorted((self.path / kind).glob("*.jsonl"))


def _decoded(paths: list[Path], kind: type[_Line], *, torn_end: bool = True) -> Iterator[_Line]:
    decode = msgspec.json.Decoder(kind).decode
    for path in paths:
        for number, line in lines_of(path, torn_end=torn_end and path is paths[-1]):
            try:
                yield decode(line)
            except msgspec.DecodeError as error:
                raise StoreError(f"{path}: line {number} is damaged: {error}") from None


def _pretty(document: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
