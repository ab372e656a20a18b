"""The end of the platform; these tests run last."""

import subprocess
import sys

import psutil
import pytest

from harness.local.layout import Layout
from tests.e2e.platform import Platform

pytestmark = pytest.mark.engines


def test_down_leaves_no_process_and_no_state(platform: Platform, layout: Layout) -> None:
    if platform.already_up:
        pytest.skip("the stack was up before the tests: it is left running")
    processes = platform.processes()
    assert len(processes) > 8  # the supervisor, its parts, four engines and their workers

    down = subprocess.run(
        [sys.executable, "-m", "harness", "local", "--build", str(layout.build), "down"],
        cwd=layout.root,
        capture_output=True,
        check=True,
        text=True,
    )

    assert down.stdout.startswith("stopped")
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert [process.name() for process in alive] == []
    assert not layout.state.exists()
    assert not layout.engines_state.exists()
