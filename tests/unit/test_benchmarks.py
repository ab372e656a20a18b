"""That the benchmarks still start; what they measure is `make bench`'s."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.stand_ins import PYTHONPATH

BENCH = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize("script", ["overhead.py", "memory.py"])
def test_it_finds_the_gateway_and_not_cdks_entry(script: str) -> None:
    """Both are called `app`."""
    loaded = f"import runpy; print(runpy.run_path({str(BENCH / script)!r})['app'].__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", loaded],
        env={"PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == BENCH.parents[1] / "api/app.py"
