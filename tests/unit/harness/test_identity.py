import os
import subprocess
import sys

import pytest

from harness.local.identity import ProcessIdentity


def test_this_process_is_alive() -> None:
    identity = ProcessIdentity.own()

    assert identity.pid == os.getpid()
    assert identity.alive


def test_a_recycled_number_is_another_process() -> None:
    """The same pid with another start is somebody else."""
    own = ProcessIdentity.own()

    assert not ProcessIdentity(pid=own.pid, started=f"{own.started}1").alive


def test_a_process_that_has_ended_is_not_alive_even_before_it_is_reaped() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    assert process.stdin is not None
    seen = [identity.alive]

    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still a zombie
    seen.append(identity.alive)
    process.wait()
    seen.append(identity.alive)

    assert seen == [True, False, False]


def test_an_identity_survives_json() -> None:
    own = ProcessIdentity.own()

    assert ProcessIdentity.from_json(own.to_json()) == own


@pytest.mark.parametrize(
    "document",
    [None, {}, [], "1", {"pid": 1}, {"pid": "1", "started": "x"}, {"pid": 0, "started": "x"}],
)
def test_what_tells_of_no_process_is_none(document: object) -> None:
    assert ProcessIdentity.from_json(document) is None
