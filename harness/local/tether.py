"""Become another program that the kernel ends when its parent goes, however that happens.

    python tether.py PARENT SIGNAL PROGRAM [ARGUMENT ...]

A supervisor that is killed can't stop what it started; Linux can (PR_SET_PDEATHSIG, prctl(2)).
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tethered(command: list[str], *, parent: int, number: signal.Signals) -> list[str]:
    """`command`, to be started by the process `parent`, which it won't outlive."""
    return [sys.executable, "-I", "-S", __file__, str(parent), str(int(number)), *command]


def main() -> None:
    parent, number, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):  # it went before it could be watched
        os.kill(os.getpid(), int(number))
    os.execvp(command[0], command)  # noqa: S606  (no shell on purpose)


if __name__ == "__main__":
    main()
