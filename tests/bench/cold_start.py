"""CPU of a cold start over a bare interpreter, and what our own modules cost of it.

Compiled as it is shipped: without `.pyc` files a cold start costs several times as much.
"""

import compileall
import resource
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.stand_ins import PYTHONPATH

FIRST_REQUEST: Final = Path(__file__).with_name("first_request.py")
RUNS: Final = 15
OURS: Final = ("chalicelib", "app")


def measure(environment: dict[str, str]) -> dict[str, float]:
    """Milliseconds of CPU, medians over runs: the whole, and the import of our own modules."""
    compileall.compile_dir(str(Path(__file__).parents[2] / "api"), quiet=1)
    env = {**environment, "PYTHONPATH": PYTHONPATH}
    bare, whole = [], []
    for _ in range(RUNS):
        bare.append(_cpu_ms(["-c", "pass"], env))
        whole.append(_cpu_ms([str(FIRST_REQUEST)], env))
    return {"whole": median(whole) - median(bare), "ours": _ours_ms(env)}


def _cpu_ms(arguments: list[str], env: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], env=env, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used * 1000


def _ours_ms(env: dict[str, str]) -> float:
    """Each module's own import time, its median over runs, summed over our modules."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", str(FIRST_REQUEST)],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
        for line in done.stderr.splitlines():
            own, _, rest = line.removeprefix("import time:").partition("|")
            module = rest.rpartition("|")[2].strip()
            if own.strip().isdigit() and module.split(".")[0] in OURS:
                times[module].append(int(own) / 1000)
    return sum(median(values) for values in times.values())
