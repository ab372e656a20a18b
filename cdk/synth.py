"""`python -m cdk.synth dev staging prod`: stages side by side, one process each.

A process can hold one Chalice app only, and the stages share nothing. As many run at once as there
are cores; what a failed one said is printed, and the exit code is the highest of theirs.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "cdk.out"


def main(stages: Sequence[str], out: Path = OUT) -> int:
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        codes = list(pool.map(lambda stage: _synth(stage, out / stage), stages))
    print(f"{len(stages)} stages in {time.monotonic() - started:.0f} s")  # noqa: T201
    return max(codes, default=0)


def _synth(stage: str, out: Path) -> int:
    started = time.monotonic()
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    done = subprocess.run(
        [sys.executable, "-O", "app.py"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps({**context, "stage": stage}),
        },
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        return done.returncode
    took = time.monotonic() - started
    print(f"{stage}: {out.relative_to(ROOT)} in {took:.0f} s", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
