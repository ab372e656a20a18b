import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.local.identity import ProcessIdentity, end

STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
)
OBEDIENT = "print(flush=True); input()"


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


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, "-c", request.param], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()  # its signal handling is in place
        yield started
        started.kill()


def _identity(process: "subprocess.Popen[bytes]") -> ProcessIdentity:
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    return identity


@pytest.mark.parametrize("process", [OBEDIENT], indirect=True)
def test_a_process_is_asked_to_end(process: "subprocess.Popen[bytes]") -> None:
    assert end(_identity(process))
    assert process.wait() == -signal.SIGTERM


@pytest.mark.parametrize("process", [STUBBORN], indirect=True)
def test_a_process_that_does_not_listen_is_killed(process: "subprocess.Popen[bytes]") -> None:
    assert end(_identity(process), within_s=0.1)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("process", [OBEDIENT], indirect=True)
def test_another_process_of_the_same_number_is_left_alone(
    process: "subprocess.Popen[bytes]",
) -> None:
    assert not end(replace(_identity(process), started="another boot"))
    assert process.poll() is None


@pytest.mark.parametrize("process", [OBEDIENT], indirect=True)
def test_what_has_ended_needs_no_ending(process: "subprocess.Popen[bytes]") -> None:
    identity = _identity(process)
    process.kill()
    process.wait()

    assert not end(identity)
