"""Start every engine, publish where they are, and leave none behind."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from gpu_fleet.engine_process import (
    STOP_STARTING_WITHIN_S,
    STOP_WITHIN_S,
    Launch,
    died,
    reserve_port,
    start,
    stop,
    wait_until_serving,
)
from gpu_fleet.engines import Engine
from gpu_fleet.guard import Guard
from gpu_fleet.local import Workplace, check_workplace, launch_of
from gpu_fleet.state import publish, refuse_second_fleet, withdraw

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
PROBE_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


@dataclass(kw_only=True)
class Running:
    launch: Launch
    process: Process
    serving: bool = False


@dataclass(kw_only=True)
class Supervisor:
    """All engines are started at once: a start is CPU-bound, so a queue would save nothing."""

    launches: list[Launch]
    state: Path
    say: Callable[[str], None]
    running: list[Running] = field(default_factory=list)
    stopping: bool = False

    async def run(self) -> None:
        """Ends by cancellation, or by EngineFailed; either way after every engine has ended."""
        guard = Guard()
        try:
            await self._start(guard)
            await self._all_serving()
            guard.all_serving()
            publish(self.state, {one.process.pid: one.launch for one in self.running})
            self.say("ready")
            await self._first_death()
        finally:
            self.stopping = True
            withdraw(self.state)
            await asyncio.gather(*map(_stop, self.running))
            guard.stand_down()

    async def _start(self, guard: Guard) -> None:
        for launch in self.launches:
            process = await start(launch)
            guard.watch(process.pid)
            self.running.append(Running(launch=launch, process=process))
            self.say(f"starting {launch.name} on {launch.url}, log {launch.log}")

    async def _all_serving(self) -> None:
        began = time.monotonic()

        async def wait(one: Running) -> None:
            await wait_until_serving(one.launch, one.process, http)
            one.serving = True
            took = time.monotonic() - began
            self.say(f"{one.launch.name} serves {', '.join(one.launch.models)} after {took:.0f} s")

        async with aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as http:
            await _all_or_first_error([wait(one) for one in self.running])

    async def _first_death(self) -> None:
        async def watch(one: Running) -> None:
            await one.process.wait()
            raise died(one.launch, one.process, "died")

        await _all_or_first_error([watch(one) for one in self.running])


async def up(
    engines: Mapping[str, Engine], *, workplace: Workplace, state: Path, say: Callable[[str], None]
) -> None:
    """Runs the engines until SIGTERM or SIGINT; raises EngineFailed if one of them ends before."""
    check_workplace(engines, workplace)
    refuse_second_fleet(state)
    ports = {name: reserve_port() for name in engines}
    launches = [
        launch_of(name, engine, port=ports[name].getsockname()[1], workplace=workplace)
        for name, engine in engines.items()
    ]
    supervisor = Supervisor(launches=launches, state=state, say=say)
    running = asyncio.ensure_future(supervisor.run())

    def stop_once() -> None:  # a signal must not cancel the stopping
        if not supervisor.stopping:
            supervisor.stopping = True
            running.cancel()

    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop_once)
    try:
        with suppress(asyncio.CancelledError):
            await running
    finally:
        for port in ports.values():
            port.close()


async def _all_or_first_error(waits: list[Coroutine[None, None, None]]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _stop(one: Running) -> None:
    await stop(one.process, STOP_WITHIN_S if one.serving else STOP_STARTING_WITHIN_S)
