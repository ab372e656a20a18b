"""That the benchmarks still start; what they measure is `make bench`'s."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.stand_ins import PYTHONPATH
from tests.bench.steal import CpuTimes

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


def test_the_share_that_the_host_gave_to_others_is_of_all_time_but_guests(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 800 0 0 0 50 9 9\ncpu0 1\n", "utf-8")
    before = CpuTimes.now(stat)
    stat.write_text("cpu  150 0 50 870 0 0 10 120 99 9\ncpu0 1\n", "utf-8")
    assert (before.stolen, before.all) == (50, 1000)
    assert CpuTimes.now(stat).share_since(before) == 70 / 200


def test_where_the_system_tells_nothing_no_share_is_known(tmp_path: Path) -> None:
    nowhere = CpuTimes.now(tmp_path / "stat")
    assert nowhere.share_since(nowhere) is None
