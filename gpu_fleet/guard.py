"""Stands by while a fleet runs, and ends its engines if the supervisor goes without a word.

A parent-death signal would not do: vLLM 0.32 hangs on a SIGTERM while it starts, and its workers
outlive a server that is killed then. So this runs as a process and session of its own, holding
the other end of a pipe: end of file without STAND_DOWN means that the supervisor was killed.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final

STAND_DOWN: Final = "stand down"
SERVING: Final = "serving"
# Serving engines end in order, within about 10 s where four do at once. Starting ones may hang.
SERVING_GRACE_S: Final = 20.0
STARTING_GRACE_S: Final = 3.0
POLL_S: Final = 0.1


class Guard:
    """The supervisor's side of it."""

    def __init__(self) -> None:
        # Its output goes nowhere: it must not keep a pipe open that a reader waits to see closed.
        self._process = subprocess.Popen(  # noqa: S603  (this interpreter, this file)
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        self._tell(str(group))

    def all_serving(self) -> None:
        self._tell(SERVING)

    def stand_down(self) -> None:
        with suppress(BrokenPipeError):
            self._tell(STAND_DOWN)
        self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101  (asked for a pipe)
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


def main() -> None:
    groups: list[int] = []
    grace_s = STARTING_GRACE_S
    for line in map(str.strip, sys.stdin):
        if line == STAND_DOWN:
            return
        if line == SERVING:
            grace_s = SERVING_GRACE_S
        else:
            groups.append(int(line))
    end(groups, grace_s)


def end(groups: list[int], grace_s: float) -> None:
    """SIGTERM to each group's leader, and soon SIGKILL to whatever is left of the groups."""
    for group in groups:
        with suppress(ProcessLookupError):
            os.kill(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while any(map(is_alive, groups)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def is_alive(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


if __name__ == "__main__":
    main()
