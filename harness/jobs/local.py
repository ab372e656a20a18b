"""The same steps on one machine: a process for each shard, a folder as the store."""

import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from typing import Final

from harness.errors import HarnessError
from harness.jobs.merge import merge
from harness.jobs.steps import Task
from harness.jobs.store import store_at
from harness.jobs.work import run_shard
from harness.summary import Summary

START_IN_S: Final = 3.0
"""Time for the processes to import what they need."""
_FOREVER: Final = float("inf")

Key = str | Mapping[str, str]


def run_tasks(where: str, tasks: Sequence[Task], key: Key, tell: Callable[[str], None]) -> Summary:
    """All shards at once, each in a process of its own; then merges what they left.

    A shard whose process dies is missing, and the verdict says so. When this is interrupted, its
    processes end with it.
    """
    spawning = multiprocessing.get_context("spawn")  # nothing of this process is shared
    processes = [
        spawning.Process(target=_shard, args=(where, task, key), name=f"shard {task.shard}")
        for task in tasks
    ]
    try:
        for process in processes:
            process.start()
        tell(f"{len(processes)} processes started")
        for process in processes:
            process.join()
            _tell_end(process, tell)
    finally:
        _end(processes)
    return merge(store_at(where))


def _shard(where: str, task: Task, key: Key) -> None:
    store = store_at(where)
    try:
        run_shard(store, task, key=key, seconds_left=lambda: _FOREVER)
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
