"""Programs that do one thing and end."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from harness.errors import StackError
from harness.local.tether import tethered

WITHIN_S: Final = 60.0


async def run_python(
    *arguments: str, cwd: Path, environment: Mapping[str, str], given: str = ""
) -> str:
    """What it prints; `given` is its standard input.

    Raises:
        StackError: it fails, or takes too long.
    """
    process = await asyncio.create_subprocess_exec(
        *tethered([sys.executable, *arguments], parent=os.getpid(), number=signal.SIGKILL),
        cwd=cwd,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    name = " ".join(argument for argument in arguments if not argument.startswith("-"))
    try:
        output, complaint = await asyncio.wait_for(process.communicate(given.encode()), WITHIN_S)
    except TimeoutError:
        raise StackError(f"{name} took longer than {WITHIN_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        last = (complaint.decode(errors="replace").strip().splitlines() or ["without a word"])[-1]
        raise StackError(f"{name} ended with code {process.returncode}: {last}")
    return output.decode()
