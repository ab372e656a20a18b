"""A run by many as a run's folder, as if one process had recorded it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from harness import plan as plans
from harness import summary as summaries
from harness.errors import AbsentError, StoreError
from harness.jobs.steps import PROMPTS
from harness.jobs.store import Store
from harness.jobs.work import FINISHED, decoded

SEGMENT = "0000.jsonl"


def fetch(store: Store, folder: Path) -> None:
    """Only records that count: of shards that finished, those that their objects name.

    Raises StoreError where the run isn't there or not merged yet, or the folder exists already;
    nothing half-fetched is left.
    """
    if folder.exists():
        raise StoreError(f"{folder} exists already: remove it, or fetch to another folder")
    unfinished = folder.with_name(f".{folder.name}.fetching")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _fetch_into(store, unfinished)
        unfinished.replace(folder)
    except OSError as error:
        raise StoreError(f"{folder} can't be written: {error.strerror}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _fetch_into(store: Store, folder: Path) -> None:
    contents = {name: store.get(name) for name in (plans.FILE, PROMPTS)}
    try:
        contents[summaries.FILE] = store.get(summaries.FILE)
    except AbsentError:
        raise StoreError(
            f"{store.where} is not merged yet: wait for its end, or merge it"
        ) from None
    for kind in ("records", "health"):
        (folder / kind).mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for name in store.names(FINISHED):
        done = decoded(store, name)
        _append(store, done.records, folder / "records" / SEGMENT)
        _append(store, done.health, folder / "health" / SEGMENT)


def _append(store: Store, names: Iterable[str], path: Path) -> None:
    with path.open("ab") as file:
        for name in names:
            file.write(store.get(name))
