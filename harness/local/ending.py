"""Stopping another process, and no other one than that."""

import os
import select
import signal
from contextlib import suppress
from typing import Final

from harness.local.identity import ProcessIdentity

WITHIN_S: Final = 90.0
"""A supervisor waits for engines that finish what they generate."""


def end(identity: ProcessIdentity, within_s: float = WITHIN_S) -> bool:
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
