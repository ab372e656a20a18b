"""Where the objects of one run are kept: `plan.json`, `prompts.jsonl`, `records/…`, `shards/…`.

The same layout as a run's folder, in a folder or under `s3://bucket/runs/<run_id>/`.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from harness.errors import AbsentError, StoreError, WrongInput

_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_S3: Final = "s3://"


class Store(Protocol):
    """Objects of one run by name; a name is a path with `/` below the run.

    Every method raises StoreError, saying what to do, where the store can't be used.
    """

    @property
    def where(self) -> str:
        """For messages."""

    def put(self, name: str, body: bytes) -> None:
        """Whole or not at all; what was there is replaced."""

    def put_new(self, name: str, body: bytes) -> bool:
        """Whole or not at all. False, and nothing is written, where the name is taken already."""

    def get(self, name: str) -> bytes:
        """Raises AbsentError."""

    def names(self, prefix: str) -> Iterator[str]:
        """Names that begin with `prefix`, in order."""


class FolderStore:
    """A run's folder on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    def put(self, name: str, body: bytes) -> None:
        unfinished = self._written_beside(name, body)
        unfinished.replace(self._folder / name)

    def put_new(self, name: str, body: bytes) -> bool:
        unfinished = self._written_beside(name, body)
        try:
            os.link(unfinished, self._folder / name)  # unlike a rename, never replaces
        except FileExistsError:
            return False
        except OSError as error:
            raise StoreError(f"{self._folder / name} can't be written: {error.strerror}") from None
        finally:
            unfinished.unlink()
        return True

    def get(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            raise AbsentError(f"{self._folder} holds no {name}") from None
        except OSError as error:
            raise StoreError(f"{self._folder / name} can't be read: {error.strerror}") from None

    def names(self, prefix: str) -> Iterator[str]:
        files = (path for path in self._folder.rglob("*") if path.is_file())
        names = (path.relative_to(self._folder).as_posix() for path in files)
        yield from sorted(
            name
            for name in names
            if name.startswith(prefix) and not name.rpartition("/")[2].startswith(".")
        )

    def _written_beside(self, name: str, body: bytes) -> Path:
        path = self._folder / name
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(body)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise StoreError(f"{path} can't be written: {error.strerror}") from None
        return unfinished


def checked_run_id(run_id: str) -> str:
    """Raises WrongInput where it is no plain name: it becomes part of a path."""
    if not _RUN_ID.fullmatch(run_id):
        raise WrongInput(
            f"run id {run_id[:80]!r}: 1 to 64 letters, digits, '.', '_' or '-', "
            "the first a letter or digit"
        )
    return run_id


def store_at(where: str) -> Store:
    """The store of the run that is, or will be, at `where`: a folder or `s3://bucket/prefix`."""
    if not where.startswith(_S3):
        return FolderStore(Path(where))
    from harness.s3 import S3Store  # noqa: PLC0415  # boto3 only where it is needed

    bucket, _, prefix = where.removeprefix(_S3).partition("/")
    if not bucket or not prefix.strip("/"):
        raise WrongInput(f"{where!r}: a run in S3 is s3://<bucket>/runs/<run id>")
    return S3Store.of(bucket, prefix)
