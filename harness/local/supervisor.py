"""Start every part, publish where the stack is, watch over it, and leave nothing behind."""

import asyncio
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.local.layout import Layout
from harness.local.processes import Processes
from harness.local.startup import Startup
from harness.local.state import publish


async def supervise(
    layout: Layout,
    say: Callable[[str], None],
    *,
    engine_key: str,
    running_engines: Path | None = None,
) -> None:
    """Until SIGTERM or SIGINT; everything has ended when it returns or raises.

    Args:
        layout: where things are.
        say: is told of each step.
        engine_key: what the engines ask for.
        running_engines: the state file of engines that run already (`gpu_fleet up --state`).

    Raises:
        HarnessError: a part did not start, or died.
    """
    stop_asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_asked.set)
    processes = Processes(cwd=layout.root)
    with tempfile.TemporaryDirectory(prefix="llmo-") as scratch:
        startup = Startup(
            layout=layout,
            say=say,
            processes=processes,
            scratch=Path(scratch),
            engine_key=engine_key,
            running_engines=running_engines,
        )
        try:
            await _run(startup, stop_asked)
            say("stopping")
        finally:
            layout.state.unlink(missing_ok=True)
            await processes.stop()
    say("stopped")


async def _run(startup: Startup, stop_asked: asyncio.Event) -> None:
    """Returns when the stop is asked for, also in the middle of the start."""
    stop = asyncio.create_task(stop_asked.wait())
    death = asyncio.create_task(startup.processes.first_death())
    start = asyncio.create_task(startup.run())
    try:
        await asyncio.wait({stop, death, start}, return_when=asyncio.FIRST_COMPLETED)
        if start.done() and not death.done():
            publish(start.result(), startup.layout.state)
            startup.say("ready")
            await asyncio.wait({stop, death}, return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            death.result()
    finally:
        tasks = (stop, death, start)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
