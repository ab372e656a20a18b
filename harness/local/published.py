"""What the parts tell through files: where they listen, and how far they are."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

_POLL_S: Final = 0.1

Found = TypeVar("Found")
Version = tuple[int, int]


async def url_in(file: Path) -> str:
    """Waits until a part has written its address there."""
    return await _until(lambda: _url(file))


async def document_after(
    file: Path, before: Version | None, *, meanwhile: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Waits for a JSON file of another version than `before`; does something at each look."""

    def look() -> dict[str, Any] | None:
        found = _document(file, before)
        meanwhile()
        return found

    return await _until(look)


def version(file: Path) -> Version | None:
    """Changes whenever the file is replaced; None while there is none."""
    with suppress(FileNotFoundError):
        found = file.stat()
        return found.st_ino, found.st_mtime_ns
    return None


class NewLines:
    """The lines of a log that were not there when it was last asked."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0

    def __call__(self) -> list[str]:
        written = self._log.read_bytes()[self._read :]
        whole, end, _ = written.rpartition(b"\n")
        self._read += len(whole) + len(end)
        return whole.decode(errors="replace").splitlines()


async def _until(find: Callable[[], Found | None]) -> Found:
    while (found := find()) is None:  # noqa: ASYNC110  (another process's doing)
        await asyncio.sleep(_POLL_S)
    return found


def _url(file: Path) -> str | None:
    with suppress(FileNotFoundError):
        text = file.read_text("utf-8")
        return text if text.startswith("http") else None
    return None


def _document(file: Path, before: Version | None) -> dict[str, Any] | None:
    if version(file) in (None, before):
        return None
    return dict(json.loads(file.read_text("utf-8")))
