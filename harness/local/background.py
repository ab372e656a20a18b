"""The supervisor as a process of its own, its progress shown here until it is ready."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from harness.errors import StackError
from harness.local.identity import ProcessIdentity, end
from harness.local.layout import Layout
from harness.local.lock import BUSY, holder
from harness.local.state import StackState, running
from harness.local.tether import tethered

_POLL_S: Final = 0.2


class Started(NamedTuple):
    state: StackState
    process: "subprocess.Popen[bytes]"


def start(
    layout: Layout, show: Callable[[str], None], *, options: Sequence[str] = (), survive: bool
) -> Started:
    """Returns when the stack is ready; with `survive` it outlives this process.

    Raises:
        StackError: it didn't start; what it said has been shown.
        KeyboardInterrupt: as it came, after the stack has been stopped again.
    """
    if holder(layout.lock):
        raise StackError(BUSY)
    command = [sys.executable, "-m", "harness", "local", "--build", str(layout.build)]
    command += ["up", *options]
    if not survive:
        command = tethered(command, parent=os.getpid(), number=signal.SIGTERM)
    log = layout.log("stack")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  (this interpreter, our own command)
            command,
            cwd=layout.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        return Started(_follow(process, layout, show), process)
    except BaseException:
        _end(process)
        raise


@contextmanager
def borrowed(layout: Layout, show: Callable[[str], None]) -> Iterator[StackState]:
    """The stack that runs; or one that is started, and stopped at the end."""
    if state := running(layout.state):
        show(f"using the stack that runs on {state.gateway_url}")
        yield state
        return
    state, process = start(layout, show, survive=False)
    try:
        yield state
    finally:
        show("stopping what was started")
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if identity := ProcessIdentity.of(process.pid):
        end(identity)
    process.wait()


def _follow(
    process: "subprocess.Popen[bytes]", layout: Layout, show: Callable[[str], None]
) -> StackState:
    with layout.log("stack").open(encoding="utf-8", errors="replace") as log:
        while True:
            ended = process.poll() is not None
            for line in log:
                show(line.rstrip("\n"))
            if ended:
                raise StackError(f"the stack did not start; its logs are in {layout.logs}")
            state = running(layout.state)
            if state and state.supervisor.pid == process.pid:
                return state
            time.sleep(_POLL_S)
