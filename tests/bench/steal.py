"""How much of the cores' time a virtual machine's host gave to others (`man 5 proc_stat`)."""

from pathlib import Path
from typing import NamedTuple, Self

_STAT = Path("/proc/stat")
_STEAL = 7
_EVERY_TIME = slice(8)  # guests' times, which follow, are in users' already


class CpuTimes(NamedTuple):
    """Since the machine started, in ticks."""

    stolen: int = 0
    all: int = 0

    @classmethod
    def now(cls, stat: Path = _STAT) -> Self:
        if not stat.exists():
            return cls()
        _, *ticks = stat.read_text("utf-8").splitlines()[0].split()
        times = list(map(int, ticks))[_EVERY_TIME]
        return cls(stolen=times[_STEAL], all=sum(times))

    def share_since(self, earlier: "CpuTimes") -> float | None:
        """None where the system doesn't tell."""
        passed = self.all - earlier.all
        return (self.stolen - earlier.stolen) / passed if passed else None
