"""Which process is meant: a number alone may belong to somebody else by now."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STARTED_FIELD = 19  # of /proc/<pid>/stat, counted behind the command's name; see proc(5)
_STATE_FIELD = 0


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
