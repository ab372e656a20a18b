"""Cores that don't sleep while something is measured.

On a virtual machine a core that has nothing to do is given away, and comes back with cold caches:
what then runs for a moment every few milliseconds costs up to twice the CPU time, by the hypervisor
and not by its own instructions. Something of the lowest priority (SCHED_IDLE: it runs when nothing
else wants to, and gives way at once) keeps the core, as `idle=poll` does on bare metal.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid, getppid, sched_getaffinity

_SPIN = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[2]):
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def awake() -> Iterator[None]:
    """All cores of the process that started this one, for as long as the block runs."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", _SPIN, str(core), str(getpid())])
        for core in sched_getaffinity(getppid())
    ]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()
