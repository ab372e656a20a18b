"""The same steps on one machine: a process for each shard, a folder as the store."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from harness.errors import HarnessError, StoreError
from harness.jobs.merge import merge
from harness.jobs.steps import Task, prepare
from harness.jobs.store import store_at
from harness.jobs.work import run_shard
from harness.plan import Plan
from harness.promptsets.rows import Row
from harness.summary import Summary

Tell = Callable[[str], None]

_FOREVER: Final = 10.0 * 365 * 24 * 3600


@contextmanager
def scratch(runs: Path) -> Iterator[str]:
    """A place for a run in the making, on the same disk as the runs; nothing of it stays.

    Raises StoreError.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        folder = TemporaryDirectory(prefix=".shards-", dir=runs)
    except OSError as error:
        raise StoreError(f"{runs} can't be written: {error.strerror}") from None
    with folder as name:
        yield name


def run(
    where: str, plan: Plan, rows: Sequence[Row], keys: Mapping[str, str], tell: Tell
) -> Summary:
    """All shards at once, each in a process of its own; then merges what they left.

    A shard whose process dies is missing, and the verdict says so. When this is interrupted, its
    processes end with it.
    """
    store = store_at(where)
    start_in_s = _start_in_s(plan.shards)
    tasks = prepare(store, plan, rows, start_in_s=start_in_s)
    spawning = multiprocessing.get_context("spawn")  # nothing of this process is shared
    processes = [
        spawning.Process(target=_shard, args=(where, task, keys), name=f"shard {task.shard}")
        for task in tasks
    ]
    try:
        for process in processes:
            process.start()
        tell(f"{len(processes)} processes, which begin together in {start_in_s:.0f} s")
        for process in processes:
            process.join()
            _tell_end(process, tell)
    finally:
        _end(processes)
    return merge(store)


def _start_in_s(shards: int) -> float:
    """Time for so many processes to start and import what they need, about 1 s of CPU each."""
    return 2 + 1.5 * shards / (os.cpu_count() or 1)


def _shard(where: str, task: Task, keys: Mapping[str, str]) -> None:
    store = store_at(where)
    try:
        run_shard(store, task, key=keys, seconds_left=lambda: _FOREVER)
    except HarnessError as error:
        sys.exit(f"shard {task.shard}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _tell_end(process: BaseProcess, tell: Callable[[str], None]) -> None:
    how = "finished" if process.exitcode == 0 else f"ended with exit code {process.exitcode}"
    tell(f"{process.name} {how}")


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.terminate()
    for process in processes:
        if process.pid is not None:
            process.join()
