"""One supervisor at a time, and who it is."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.errors import StackError
from harness.local.identity import ProcessIdentity

BUSY: Final = "a stack is just starting or stopping: wait until it has, or end it with 'make down'"


@contextmanager
def only_supervisor(path: Path) -> Iterator[None]:
    """The kernel lets go of the lock with the process, so a killed supervisor leaves none behind.

    Raises:
        StackError: another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(BUSY) from None
        file.truncate(0)
        json.dump(ProcessIdentity.own().to_json(), file)
        file.flush()
        try:
            yield
        finally:
            os.ftruncate(file.fileno(), 0)


def holder(path: Path) -> ProcessIdentity | None:
    """The supervisor that runs, be it starting, ready or stopping."""
    try:
        identity = ProcessIdentity.from_json(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return None
    return identity if identity is not None and identity.alive else None
