"""`python -m cdk.synth dev staging prod`: stages side by side, one process each.

A process can hold one Chalice app only, and the stages share nothing. As many run at once as there
are cores; what a failed one said is printed, and the exit code is the highest of theirs.
"""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from cdk.assembly import ROOT, SynthFailed, synthesise
from cdk.errors import CdkError
from cdk.stages import load_stage
from gpu_fleet.errors import FleetError

WRONG_INPUT: Final = 64
OUT: Final = ROOT / "cdk.out"


def main(stages: Sequence[str], out: Path = OUT) -> int:
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        codes = list(pool.map(lambda stage: _synth(stage, out / stage), stages))
    code = max(codes, default=0)
    if not code:
        print(f"{len(codes)} in {time.monotonic() - started:.0f} s")  # noqa: T201
    return code


def _synth(stage: str, out: Path) -> int:
    started = time.monotonic()
    try:
        load_stage(stage)  # before a folder of that name is emptied
        synthesise(stage, out)
    except (CdkError, FleetError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return error.code if isinstance(error, SynthFailed) else WRONG_INPUT
    took = time.monotonic() - started
    print(f"{stage}: {out.relative_to(ROOT)} in {took:.0f} s", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
