"""Build what is missing or out of date, two models at a time, each in one thread.

One thread a model makes sums come out the same on every run, and two small models
beside each other use two cores better than one model on both.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from sagemaker_models.errors import ModelsError
from sagemaker_models.lineage import cache_key, inputs, is_current
from sagemaker_models.publish import only_builder
from sagemaker_models.recipes import load_family

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sagemaker_models.recipes import Family

WORKER_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # The libraries' own bars and banners would drown our progress lines.
    "TQDM_DISABLE": "1",
    "LLM_COMPRESSOR_LOG_DISABLED": "true",
    "COMPRESSED_TENSORS_LOG_DISABLED": "true",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`stale` in the order to build; a model whose base is stale is stale."""

    keys: dict[str, str]
    stale: tuple[str, ...]


def plan(family: Family, out: Path, only: Iterable[str] = (), *, force: bool = False) -> Plan:
    """What to build of `only` (all if empty) and of the bases these need."""
    wanted = set(only) or set(family)
    if unknown := wanted - family.keys():
        raise ModelsError(
            f"no model {', '.join(sorted(unknown))} in this family (it has: {', '.join(family)})"
        )
    asked = frozenset(wanted)
    wanted |= {base for name in asked if (base := family[name].base) is not None}
    keys = {name: cache_key(inputs(family, name)) for name in family if name in wanted}
    stale: list[str] = []
    for name, key in keys.items():
        base = family[name].base
        if (
            (force and name in asked)
            or base in stale
            or not is_current(out / name, key, None if base is None else out / base)
        ):
            stale.append(name)
    return Plan(keys=keys, stale=tuple(stale))


def build(
    family_name: str, out: Path, *, only: Iterable[str] = (), jobs: int = 2, force: bool = False
) -> Plan:
    """Makes every stale model; on any failure or interruption nothing half-made stays."""
    family = load_family(family_name)
    with only_builder(out):
        planned = plan(family, out, only, force=force)
        if planned.stale:
            _run(family_name, family, planned, out, jobs)
    return planned


def _run(family_name: str, family: Family, planned: Plan, out: Path, jobs: int) -> None:
    os.environ.update(WORKER_ENVIRONMENT)
    # Spawned, not forked: a forked copy of a threaded parent may hang in torch.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_ignore_interrupts)
    workers = pool._processes  # noqa: SLF001 - the only way to end work under way
    waiting, running = list(planned.stale), dict[Future[None], str]()
    try:
        while waiting or running:
            blocked = {*waiting, *running.values()}
            for name in [n for n in waiting if family[n].base not in blocked]:
                waiting.remove(name)
                job = pool.submit(_make, family_name, name, planned.keys[name], out)
                running[job] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for job in done:
                _check(running.pop(job), job)
    except BaseException:
        for worker in list(workers.values()):
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _check(name: str, job: Future[None]) -> None:
    error = job.exception()
    if isinstance(error, ModelsError):
        raise error
    if error is not None:
        said = str(error).strip().partition("\n")[0]
        raise ModelsError(f"{name}: {type(error).__name__}: {said}") from error


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the parent too, which ends its workers in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def _make(family_name: str, name: str, key: str, out: Path) -> None:
    # Imported here, in the worker: torch takes seconds, and a build may have nothing to do.
    from sagemaker_models.make import make  # noqa: PLC0415 - torch takes seconds to import

    started = time.monotonic()
    say(name, "started")
    evaluation = make(load_family(family_name), name, key, out, lambda text: say(name, text))
    measured = ", ".join(f"{what} {value:g}" for what, value in evaluation.items())
    say(name, f"done in {time.monotonic() - started:.0f} s ({measured})")


def say(name: str, text: str) -> None:
    sys.stderr.write(f"{name:<10} {text}\n")
    sys.stderr.flush()
