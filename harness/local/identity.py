"""Which process is meant, and its end: a number alone may belong to somebody else by now."""

import os
import select
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STARTED_FIELD = 19  # of /proc/<pid>/stat, counted behind the command's name; see proc(5)
_STATE_FIELD = 0
END_WITHIN_S: Final = 90.0
"""A supervisor waits for engines that finish what they generate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    pid: int
    started: str
    """This boot's id and the clock tick of the start: never given twice."""

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """None where no such process runs; one that has ended and waits to be reaped doesn't."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
            boot = _BOOT_ID.read_text("ascii").strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command's name is in parentheses and may itself hold spaces and parentheses.
        fields = stat.rpartition(")")[2].split()
        if fields[_STATE_FIELD] in "ZX":
            return None
        return cls(pid=pid, started=f"{boot}:{fields[_STARTED_FIELD]}")

    @classmethod
    def own(cls) -> Self:
        identity = cls.of(os.getpid())
        if identity is None:  # pragma: no cover  (this process runs)
            raise ProcessLookupError(os.getpid())
        return identity

    @classmethod
    def from_json(cls, document: Any) -> Self | None:  # noqa: ANN401  (JSON's)
        """None where `document` doesn't tell of a process."""
        match document:
            case {"pid": int(pid), "started": str(started)} if pid > 0:
                return cls(pid=pid, started=started)
        return None

    def to_json(self) -> dict[str, Any]:
        return {"pid": self.pid, "started": self.started}

    @property
    def alive(self) -> bool:
        return ProcessIdentity.of(self.pid) == self


def end(identity: ProcessIdentity, within_s: float = END_WITHIN_S) -> bool:
    """SIGTERM, and SIGKILL where that is not enough; False where it has ended already.

    The signals go through a handle of the process, so its number can't have been given anew.
    """
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if not identity.alive:
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            if _ends(handle, within_s):
                return True
        return True
    finally:
        os.close(handle)


def _ends(handle: int, within_s: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(within_s * 1000))
