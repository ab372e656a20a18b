"""How long it takes to turn every stage into CloudFormation: `make synth`, from its start."""

import subprocess
import time

from tests.bench.measurement import Measurement
from tests.bench.stand_ins import ROOT, Surroundings


def synth(_around: Surroundings) -> list[Measurement]:
    started = time.perf_counter()
    done = subprocess.run(["make", "synth"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"make synth ended with {done.returncode}: {done.stderr[-500:]}")
    taken = time.perf_counter() - started
    return [Measurement(name="synth of all stages", value=taken, unit="s", limit=60)]
