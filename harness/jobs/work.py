"""One shard: it sends its requests from the common start on, and leaves one object that counts.

`shards/<number>.json` holds the shard's figures and names its records. It is written last, and only
if it isn't there: what an attempt that died left behind is named by nobody and counted by nobody,
and of two attempts that both end, the first one counts.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from harness import records
from harness.aggregate import Aggregate
from harness.errors import AbsentError, StoreError
from harness.jobs.steps import Clock, Task, Work, keys_for, work_of
from harness.jobs.store import Store
from harness.load.drive import drive, run_loop
from harness.load.health import Pulse
from harness.load.schedule import NS_PER_S
from harness.runs.folder import RunFolder, Segment

FINISHED: Final = "shards/"
PART_BYTES: Final = 8 << 20

SecondsLeft = Callable[[], float]


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard leaves, whole."""

    shard: int
    attempt: str
    records: tuple[str, ...]
    health: tuple[str, ...]
    """Names of the objects that count."""
    late_s: float
    """How long after the common start it began."""
    gave_up: bool
    """Its time was over before its requests were."""
    aggregate: Aggregate


_decode: Final = msgspec.json.Decoder(Finished).decode


def run_shard(
    store: Store,
    task: Task,
    *,
    key: str | Mapping[str, str],
    seconds_left: SecondsLeft,
    clock: Clock = time.time_ns,
) -> Finished:
    """Sends what the shard has to send and writes it; tells again what was finished before.

    It stops when `seconds_left` is 0, and what wasn't recorded by then is missing from the run.
    """
    work = work_of(store, task.shard)
    keys = keys_for(work.whole, key)
    if found := finished_in(store, task.shard):
        return found
    with TemporaryDirectory(prefix="shard-") as scratch:
        folder = RunFolder.create(Path(scratch) / "run", work.whole, work.rows)
        with folder.segment() as segment:
            telling = _Telling(segment, task.start_at_ns, clock)
            wait_s = (task.start_at_ns - clock()) / NS_PER_S
            gave_up = run_loop(_sent(work, keys, segment, telling, wait_s, seconds_left))
        attempt = secrets.token_hex(4)
        done = Finished(
            shard=task.shard,
            attempt=attempt,
            records=_uploaded(store, folder.path, "records", task.shard, attempt),
            health=_uploaded(store, folder.path, "health", task.shard, attempt),
            late_s=telling.late_s,
            gave_up=gave_up,
            aggregate=folder.aggregate(work.planned),
        )
    if store.put_new(name_of(task.shard), msgspec.json.encode(done)):
        return done
    return finished_in(store, task.shard) or done


def name_of(shard: int) -> str:
    return f"{FINISHED}{shard:04d}.json"


def finished_in(store: Store, shard: int) -> Finished | None:
    """None where it isn't finished."""
    with suppress(AbsentError):
        return decoded(store, name_of(shard))
    return None


def decoded(store: Store, name: str) -> Finished:
    try:
        return _decode(store.get(name))
    except msgspec.DecodeError as error:
        raise StoreError(f"{store.where}/{name}: {error}") from None


class _Telling:
    """Takes the client's pulses down, and finds from the first when its time began."""

    def __init__(self, segment: Segment, start_at_ns: int, clock: Clock) -> None:
        self.late_s = 0.0
        self._segment = segment
        self._start_at_ns = start_at_ns
        self._clock = clock
        self._told = False

    def __call__(self, pulse: Pulse) -> None:
        if not self._told:
            began_ns = self._clock() - pulse.at_ns
            self.late_s = max(0, began_ns - self._start_at_ns) / NS_PER_S
            self._told = True
        self._segment.health.append(msgspec.json.encode(pulse))


async def _sent(
    work: Work,
    keys: Mapping[str, str],
    segment: Segment,
    telling: _Telling,
    wait_s: float,
    seconds_left: SecondsLeft,
) -> bool:
    """Did it have to give up?"""
    limit = asyncio.timeout(max(0.0, seconds_left()))
    try:
        async with limit:
            await asyncio.sleep(max(0.0, wait_s))
            await drive(
                work.plan,
                work.rows,
                keys=keys,
                sink=lambda record: segment.records.append(records.encode(record)),
                todo=work.shard.indices(work.planned),
                pulse=telling,
            )
    except TimeoutError:
        if not limit.expired():
            raise
        return True
    return False


def _uploaded(store: Store, folder: Path, kind: str, shard: int, attempt: str) -> tuple[str, ...]:
    names: list[str] = []
    for part in parts_of(folder / kind / "0000.jsonl", PART_BYTES):
        names.append(f"{kind}/{shard:04d}-{attempt}-{len(names):04d}.jsonl")
        store.put(names[-1], part)
    return tuple(names)


def parts_of(path: Path, size: int) -> Iterator[bytes]:
    """A file of lines in parts of whole lines, each of about `size` bytes."""
    with path.open("rb") as file:
        while lines := file.readlines(size):
            yield b"".join(lines)
