"""A plan carried out, from its first request to its verdict; again and again, if it is killed."""

import asyncio
import itertools
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from harness import records
from harness.ledger import Ledger
from harness.load.drive import Driven, drive, run_loop
from harness.load.health import Pulse
from harness.load.items import Items
from harness.records import Record
from harness.runs.folder import RunFolder, Segment
from harness.runs.progress import Silent, Watch
from harness.runs.tally import Tally
from harness.summary import Summary, summarise

FLUSH_S: Final = 0.05
"""A process that is killed loses the answers of so long at most; they are asked for again."""
_SYNC_EVERY: Final = 40
"""Flushes. What waits for the disk longer can be lost with the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a run has come to so far."""

    ledger: Ledger
    tally: Tally

    @classmethod
    def of(cls, recorded: Iterable[Record]) -> "Standing":
        tally = Tally()
        indices: list[int] = []
        for record in recorded:
            tally.add(record)
            indices.append(record.index)
        return cls(ledger=Ledger.of(indices), tally=tally)

    @property
    def begun(self) -> bool:
        return self.ledger.count > 0

    def todo(self, planned: int | None) -> Iterable[int] | None:
        """What is still to be asked; None for everything. Without an end where none is planned."""
        if not self.begun:
            return None
        highest = self.ledger.ranges[-1][1]
        missing = itertools.chain.from_iterable(
            range(*gap) for gap in self.ledger.missing(highest if planned is None else planned)
        )
        return itertools.chain(missing, itertools.count(highest)) if planned is None else missing


def execute(folder: RunFolder, keys: Mapping[str, str], watch: Watch | None = None) -> Summary:
    """Asks whatever isn't recorded yet, and writes and returns the summary.

    What was recorded stays recorded, whatever ends this. `keys`: by the arms' names.

    Raises StoreError where the run can't be read or written, or another process records it.
    """
    watch = watch or Silent()
    with folder.lock():
        folder.mend()
        items = Items(folder.plan, folder.rows)
        standing = Standing.of(folder.records())
        planned = items.planned
        if planned is None or standing.ledger.missing(planned):
            planned = _record(folder, keys, standing, planned, watch)
        summary = summarise(folder.plan, folder.aggregate(planned))
        folder.write_summary(summary)
    return summary


def reported(folder: RunFolder) -> Path:
    """The page that shows the run, written anew."""
    from harness.report import write  # noqa: PLC0415  # plots take long to import

    return write(folder.path)


def _record(
    folder: RunFolder,
    keys: Mapping[str, str],
    standing: Standing,
    planned: int | None,
    watch: Watch,
) -> int:
    watch.begin(standing.tally, planned, folder.plan.load.duration_s)
    try:
        with folder.segment() as segment:
            recorder = _Recorder(segment, standing.tally, watch)
            driven = drive(
                folder.plan,
                folder.rows,
                keys=keys,
                sink=recorder.record,
                todo=standing.todo(planned),
                begin_ns=standing.tally.end_ns,
                pulse=recorder.pulse,
            )
            return run_loop(recorder.kept(driven)).planned
    finally:
        watch.end()


class _Recorder:
    def __init__(self, segment: Segment, tally: Tally, watch: Watch) -> None:
        self._segment = segment
        self._journals = (segment.records, segment.health)
        self._tally = tally
        self._watch = watch

    def record(self, record: Record) -> None:
        self._segment.records.append(records.encode(record))
        self._tally.add(record)

    def pulse(self, pulse: Pulse) -> None:
        self._segment.health.append(msgspec.json.encode(pulse))
        self._watch.look()

    async def kept(self, driven: Awaitable[Driven]) -> Driven:
        """What is driven, with its records written all the time. Raises StoreError."""
        driving = asyncio.ensure_future(driven)
        writing = asyncio.create_task(self._write())
        tasks = {driving, writing}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                await writing
            return await driving
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self) -> None:
        """Until something can't be written."""
        loop = asyncio.get_running_loop()
        for turn in itertools.count(1):
            await asyncio.sleep(FLUSH_S)
            for journal in self._journals:
                journal.flush()
                if turn % _SYNC_EVERY == 0:
                    await loop.run_in_executor(None, journal.sync)
                if journal.failure:
                    raise journal.failure
