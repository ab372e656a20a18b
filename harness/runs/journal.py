"""Files that only grow by whole lines, and survive whatever ends the process that writes them."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from harness.errors import StoreError

BATCH_BYTES: Final = 64 * 1024
_MODE: Final = 0o644


class Journal:
    """Appends lines in batches, each by one `write`, so that only the last batch can be torn.

    `append` never raises: whoever measures is not disturbed. The first failure to write is kept in
    `failure`; the file is cut back to its last whole line, and nothing more is written.
    """

    def __init__(self, path: Path) -> None:
        """Raises StoreError where the file can't be made, or is there already."""
        self.path = path
        self.failure: StoreError | None = None
        self._lines: list[bytes] = []
        self._waiting = 0
        self._whole = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, _MODE)
        except OSError as error:
            raise cannot_write(path, error) from None

    def append(self, line: bytes) -> None:
        """`line` is one JSON document, without its end of line."""
        self._lines.append(line)
        self._waiting += len(line) + 1
        if self._waiting >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Gives what waits to the operating system: a killed process loses none of it."""
        if not self._lines or self.failure:
            return
        batch = memoryview(b"\n".join(self._lines) + b"\n")
        self._lines.clear()
        self._waiting = 0
        try:
            written = 0
            while written < len(batch):  # a full disk takes a part, then refuses the rest
                written += os.write(self._file, batch[written:])
        except OSError as error:
            self.failure = cannot_write(self.path, error)
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._whole)
        else:
            self._whole += len(batch)

    def sync(self) -> None:
        """Waits until the disk has it: a power failure loses none of it. May be slow.

        Safe to call in another thread.
        """
        try:
            os.fsync(self._file)
        except OSError as error:
            self.failure = self.failure or cannot_write(self.path, error)

    def close(self) -> None:
        """Writes what waits. Raises StoreError where something could not be written."""
        self.flush()
        self.sync()
        os.close(self._file)
        if self.failure:
            raise self.failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lines_of(path: Path, *, torn_end: bool) -> Iterator[tuple[int, bytes]]:
    """Number and text of each whole line; an unfinished last one is left out.

    Raises StoreError for an unfinished last line where `torn_end` doesn't allow it.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield number, line[:-1]
                elif not torn_end:
                    raise StoreError(
                        f"{path}: line {number} is cut off, and was not the last to be written: "
                        "the run can't be trusted; run it again"
                    )
    except OSError as error:
        raise cannot_read(path, error) from None


def mend(path: Path) -> int:
    """Cuts off an unfinished last line. How many bytes that were."""
    try:
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            whole = _end_of_last_line(file.fileno(), size)
            if whole < size:
                file.truncate(whole)
                os.fsync(file.fileno())
            return size - whole
    except OSError as error:
        raise cannot_write(path, error) from None


def _end_of_last_line(file: int, size: int) -> int:
    end = size
    while end > 0:
        begin = max(0, end - BATCH_BYTES)
        found = os.pread(file, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file at once: it is the old one or the new one, never a part.

    Raises StoreError.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} can't be written: {error.strerror or error}")


def cannot_read(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} can't be read: {error.strerror or error}")
