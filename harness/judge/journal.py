"""A file of JSON lines that is only ever added to, by one process after the other."""

import os
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from harness.errors import StoreError
from harness.runs.journal import cannot_write, lines_of, mend, write_whole

Entry = TypeVar("Entry", bound=msgspec.Struct)


class Journal:
    """Open for adding. Every entry is with the operating system when `add` returns: each took a
    judge seconds, and none is judged again.
    """

    def __init__(self, path: Path) -> None:
        """Cuts off what a killed process left unfinished. Raises StoreError."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise cannot_write(path, error) from None
        mend(path)

    def add(self, entry: msgspec.Struct) -> None:
        """Raises StoreError."""
        line = memoryview(msgspec.json.encode(entry) + b"\n")
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            raise cannot_write(self._path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def read(path: Path, kind: type[Entry]) -> list[Entry]:
    """None where there is no such file. Raises StoreError where a whole line is no `kind`."""
    if not path.exists():
        return []
    decode = msgspec.json.Decoder(kind).decode
    entries = []
    for number, line in lines_of(path, torn_end=True):
        try:
            entries.append(decode(line))
        except msgspec.DecodeError as error:
            raise StoreError(
                f"{path}: line {number} is damaged: {error}; move the file away to judge anew"
            ) from None
    return entries


def write(path: Path, document: object) -> None:
    """Whole, or not at all; makes the folder. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    write_whole(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
