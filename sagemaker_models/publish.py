"""A model appears whole or not at all."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A folder beside the target that takes its place when the block succeeds."""
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield staging
        _readable(staging)
        if target.exists():
            # A folder can't be renamed over a full one: the old one steps aside first.
            target.rename(staging.with_name(f"{staging.name}.old"))
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(staging.with_name(f"{staging.name}.old"), ignore_errors=True)


def _readable(folder: Path) -> None:
    """By everyone: what makes a model keeps it private, but engines may run as another user."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def only_builder(out: Path) -> Iterator[None]:
    """One build at a time in `out`; a second waits, then finds the models made.

    What a killed build left behind is removed.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in out.glob(".*.*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
