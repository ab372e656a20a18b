"""A recovery run on disk.

<run_id>/recovery-plan.json   what it measures, written first
         prompts.jsonl        the rows that it asks
         recovery.jsonl       what was observed, one line each
         recovery.json        when it is over: what was found,
         report.html          and the page that shows it
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from harness.errors import StoreError
from harness.promptsets import manifest as manifests
from harness.promptsets import rows as row_codec
from harness.promptsets.rows import Row
from harness.recovery import observations, plan, results
from harness.recovery.analysis import analyse
from harness.recovery.observations import Log, Observation
from harness.recovery.plan import RecoveryPlan
from harness.recovery.results import Recovery
from harness.runs.journal import cannot_read, cannot_write, lines_of, write_whole


@dataclass(frozen=True, slots=True)
class RecoveryFolder:
    """Everything raises StoreError, naming the file, for what can't be read or written."""

    path: Path

    @classmethod
    def create(cls, path: Path, made: RecoveryPlan, rows: Sequence[Row]) -> Self:
        """A run that has not begun. Whole, or nothing is left of it."""
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            write_whole(path / manifests.ROWS, row_codec.encoded(tuple(rows)))
            write_whole(path / plan.FILE, _pretty(made))
        except StoreError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return cls(path)

    @property
    def plan(self) -> RecoveryPlan:
        path = self.path / plan.FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=RecoveryPlan)
        except OSError as error:
            raise StoreError(
                f"{self.path} is no recovery run: {cannot_read(path, error)}"
            ) from None
        except msgspec.DecodeError as error:
            raise StoreError(f"{path}: {error}") from None

    @property
    def rows(self) -> tuple[Row, ...]:
        path = self.path / manifests.ROWS
        try:
            return tuple(row_codec.decode(line) for _, line in lines_of(path, torn_end=False))
        except msgspec.DecodeError as error:
            raise StoreError(f"{path}: {error}") from None

    def log(self) -> Log:
        return Log(self.path / observations.FILE)

    def observations(self) -> Iterable[Observation]:
        """None where nothing was observed yet."""
        path = self.path / observations.FILE
        return observations.read(path) if path.exists() else ()

    def write_result(self) -> Recovery:
        """What was found, derived anew from what was observed."""
        found = analyse(self.plan, self.rows, self.observations())
        write_whole(self.path / results.FILE, _pretty(found))
        return found


def _pretty(document: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
