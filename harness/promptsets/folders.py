"""The two files of a promptset in a folder: written whole or not at all."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import PromptsetError, StoreError
from harness.promptsets import manifest as manifests
from harness.promptsets.manifest import Manifest
from harness.promptsets.rows import Row, encoded


@dataclass(frozen=True, slots=True)
class Files:
    """As they are, not verified."""

    manifest: bytes
    rows: bytes


_OURS: Final = frozenset({manifests.FILE, manifests.ROWS})


def read(folder: Path) -> Files:
    """Raises PromptsetError where the folder holds no promptset."""
    try:
        return Files((folder / manifests.FILE).read_bytes(), (folder / manifests.ROWS).read_bytes())
    except OSError as error:
        raise PromptsetError(
            f"{folder} holds no promptset: {error.filename}: {error.strerror};"
            f" one is a folder with {manifests.FILE} and {manifests.ROWS}"
        ) from None


def write(manifest: Manifest, rows: tuple[Row, ...], folder: Path) -> None:
    """Raises PromptsetError where the folder holds other things, StoreError where it can't be."""
    if folder.exists() and (other := sorted({path.name for path in folder.iterdir()} - _OURS)):
        raise PromptsetError(f"{folder} holds {other[0]}, which is no promptset's; name another")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
            fresh = Path(beside) / "fresh"
            fresh.mkdir()
            _write(fresh / manifests.ROWS, encoded(rows))
            _write(fresh / manifests.FILE, manifests.encode(manifest))
            _put_in_place(fresh, folder, Path(beside) / "before")
    except OSError as error:
        raise StoreError(
            f"{error.filename or folder}: {error.strerror}; nothing was written to {folder}"
        ) from None


def _write(path: Path, payload: bytes) -> None:
    with path.open("wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(fresh: Path, folder: Path, before: Path) -> None:
    """What was there is moved aside first, and back again should the move fail."""
    if folder.exists():
        folder.rename(before)
    try:
        fresh.rename(folder)
    except OSError:
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)
