"""A plan carried out, from its first request to its verdict; again and again, if it is killed."""

import asyncio
import itertools
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from harness import records
from harness.ledger import Ledger
from harness.load.drive import Driven, drive, run_loop
from harness.load.health import Pulse
from harness.load.items import Items
from harness.plan import Plan
from harness.promptsets.rows import Row
from harness.records import Record
from harness.runs.folder import RunFolder, Segment
from harness.runs.progress import Silent, Watch
from harness.runs.stopping import cancelled_by_signals
from harness.runs.tally import Tally
from harness.summarise import summarise
from harness.summary import Summary

FLUSH_S: Final = 0.05
"""A process that is killed loses the answers of so long at most; they are asked for again."""
_NS_PER_S: Final = 1_000_000_000
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

    @property
    def next_index(self) -> int:
        """Above every index recorded."""
        return self.ledger.ranges[-1][1] if self.begun else 0

    def missing(self, below: int) -> list[int]:
        return [index for gap in self.ledger.missing(below) for index in range(*gap)]


def execute(folder: RunFolder, keys: Mapping[str, str], watch: Watch | None = None) -> Summary:
    """Asks whatever isn't recorded yet, and writes and returns the summary.

    What was recorded stays recorded, whatever ends this. `keys`: by the arms' names.

    Raises StoreError where the run can't be read or written, or another process records it, and
    KeyboardInterrupt where a signal stops it.
    """
    watch = watch or Silent()
    with folder.lock():
        folder.mend()
        standing = Standing.of(folder.records())
        planned = _planned(folder)
        if planned is None or standing.ledger.missing(planned):
            planned = _record(folder, keys, standing, planned, watch)
        summary = summarise(folder.plan, folder.aggregate(planned))
        folder.write_summary(summary)
    return summary


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
            asked = _Asked(folder.plan, folder.rows, keys, standing, recorder)
            return run_loop(recorder.kept(asked.driven(planned)))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        watch.end()


def _planned(folder: RunFolder) -> int | None:
    """None for a closed loop that lasts for a duration, and isn't over."""
    planned = Items(folder.plan, folder.rows).planned
    if planned is None and (summary := folder.summary):
        return summary.planned
    return planned


@dataclass(frozen=True, slots=True)
class _Asked:
    plan: Plan
    rows: Sequence[Row]
    keys: Mapping[str, str]
    standing: Standing
    recorder: "_Recorder"

    async def driven(self, planned: int | None) -> int:
        """How many requests were planned in the end."""
        begun, arms = self.standing.begun, len(self.plan.arms)
        below = -(-self.standing.next_index // arms) * arms  # the last one's counterpart, too
        if planned is not None:
            await self._drive(self.plan, self.standing.missing(planned) if begun else None)
            return planned
        if lost := self.standing.missing(below):  # on their way when the run was killed
            load = replace(self.plan.load, duration_s=None, count=below)
            await self._drive(replace(self.plan, load=load), lost)
        if begun and self._time_is_up():
            return below
        driven = await self._drive(self.plan, itertools.count(below))
        return max(below, driven.planned)

    async def _drive(self, plan: Plan, todo: Iterable[int] | None) -> Driven:
        return await drive(
            plan,
            self.rows,
            keys=self.keys,
            sink=self.recorder.record,
            todo=todo,
            begin_ns=self.standing.tally.end_ns,
            pulse=self.recorder.pulse,
        )

    def _time_is_up(self) -> bool:
        duration_s = self.plan.load.duration_s
        return duration_s is not None and self.standing.tally.end_ns >= duration_s * _NS_PER_S


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

    async def kept(self, driven: Awaitable[int]) -> int:
        """What is driven, with its records written all the time. Raises StoreError."""
        driving = asyncio.ensure_future(driven)
        writing = asyncio.create_task(self._write())
        tasks = {driving, writing}
        try:
            with cancelled_by_signals(driving):
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
