"""The parts of a stack as processes: started, watched, stopped; and programs that just end."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from harness.errors import StackError
from harness.local.tether import tethered

TAIL_LINES: Final = 8
STOP_WITHIN_S: Final = 10.0
RUN_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process to be; its output goes to `log`, never to a pipe that nobody reads."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    stop_within_s: float = STOP_WITHIN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    part: Part
    process: asyncio.subprocess.Process


@dataclass(slots=True, kw_only=True)
class Processes:
    """All that a supervisor has started."""

    cwd: Path
    running: list[Running] = field(default_factory=list)
    _deaths: asyncio.Queue[Running] = field(default_factory=asyncio.Queue)
    _watches: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, part: Part) -> Running:
        part.log.parent.mkdir(parents=True, exist_ok=True)
        with part.log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *tethered(list(part.command), parent=os.getpid(), number=signal.SIGTERM),
                cwd=self.cwd,
                env=dict(part.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        running = Running(part=part, process=process)
        self.running.append(running)
        self._watches.append(asyncio.create_task(self._watch(running)))
        return running

    async def first_death(self) -> NoReturn:
        """Raises StackError when a part has ended, whatever its exit code: none should."""
        running = await self._deaths.get()
        raise StackError(describe_death(running.part, running.process.returncode or 0))

    async def stop(self) -> None:
        """Ends everything, the last started first; returns when nothing is left of it."""
        for watch in self._watches:
            watch.cancel()
        while self.running:
            await _stop(self.running.pop())

    async def _watch(self, running: Running) -> None:
        await running.process.wait()
        await self._deaths.put(running)


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
        output, complaint = await asyncio.wait_for(
            process.communicate(given.encode()), RUN_WITHIN_S
        )
    except TimeoutError:
        raise StackError(f"{name} took longer than {RUN_WITHIN_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = (complaint.decode(errors="replace").strip().splitlines() or ["without a word"])[-1]
        raise StackError(f"{name} ended with code {process.returncode}: {last}")
    return output.decode()


def describe_death(part: Part, code: int) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    tail = "".join(f"\n  | {line}" for line in log_tail(part.log))
    return f"{part.name} {how}; its log is {part.log}{tail}"


def log_tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    with suppress(OSError):
        text = log.read_text("utf-8", errors="replace").splitlines()
        return [line for line in text if line.strip()][-lines:]
    return []


async def _stop(running: Running) -> None:
    process = running.process
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), running.part.stop_within_s)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
