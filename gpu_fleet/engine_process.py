"""One engine as a process of this machine: reserve a port, start, wait until it serves, stop."""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from gpu_fleet.errors import EngineFailed

POLL_S: Final = 0.5
PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
# The server's own --shutdown-timeout, and time to tear down after it.
STOP_WITHIN_S: Final = 35
TAIL_LINES: Final = 6


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything needed to start one engine; the environment is added to this process's own."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str
    models: tuple[str, ...]
    log: Path
    startup_budget_s: float


def reserve_port() -> socket.socket:
    """A free port of the loopback, kept until the socket is closed.

    It is bound and doesn't listen, both sockets set SO_REUSEADDR: so vLLM may bind the port as well
    and listen on it, and until then the kernel gives it to nobody who asks for any free port.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


async def start(launch: Launch) -> asyncio.subprocess.Process:
    launch.log.parent.mkdir(parents=True, exist_ok=True)
    with launch.log.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *launch.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **launch.environment},
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )


async def wait_until_serving(
    launch: Launch,
    process: asyncio.subprocess.Process,
    http: aiohttp.ClientSession,
) -> None:
    """Returns when the engine is healthy and lists every model; raises EngineFailed if it won't."""
    serving = asyncio.ensure_future(_becomes_serving(launch, http))
    death = asyncio.ensure_future(process.wait())
    try:
        done, _ = await asyncio.wait(
            {serving, death},
            timeout=launch.startup_budget_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        serving.cancel()
        death.cancel()
    if death in done:
        raise died(launch, process, "died while starting")
    if serving not in done:
        raise failed(launch, f"was not healthy after {launch.startup_budget_s:g} s")
    serving.result()


async def stop(process: asyncio.subprocess.Process, within_s: float = STOP_WITHIN_S) -> None:
    """SIGTERM to the server, which lets its requests finish; then SIGKILL to what is left of its
    group. Its workers must not get the SIGTERM: they would drop those requests.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), within_s)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def died(launch: Launch, process: asyncio.subprocess.Process, when: str) -> EngineFailed:
    code = process.returncode or 0
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return failed(launch, f"{when}, {how}")


def failed(launch: Launch, reason: str) -> EngineFailed:
    tail = "".join(f"\n  | {line}" for line in log_tail(launch.log))
    return EngineFailed(launch.name, f"{reason}; its log is {launch.log}{tail}")


def log_tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last lines that name an error, else the last lines: a traceback ends far from its cause."""
    with suppress(OSError):
        text = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return ([line for line in text if "Error" in line] or text)[-lines:]
    return []


async def _becomes_serving(launch: Launch, http: aiohttp.ClientSession) -> None:
    while not await _is_healthy(launch, http):
        await asyncio.sleep(POLL_S)
    key = os.environ.get("VLLM_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with http.get(f"{launch.url}/v1/models", headers=headers) as answer:
        if answer.status != HTTPStatus.OK:
            raise failed(launch, f"answers /v1/models with {answer.status}")
        served = {model["id"] for model in (await answer.json())["data"]}
    if missing := set(launch.models) - served:
        raise failed(launch, f"is healthy but does not serve {', '.join(sorted(missing))}")


async def _is_healthy(launch: Launch, http: aiohttp.ClientSession) -> bool:
    with suppress(aiohttp.ClientError, asyncio.TimeoutError):
        async with http.get(f"{launch.url}/health") as answer:
            return answer.status == HTTPStatus.OK
    return False


def _die_with(parent: int) -> Callable[[], None] | None:
    """Runs in the new process before exec: the kernel sends it SIGTERM when its parent is gone,
    however that went. Workers follow, because each of vLLM's processes watches its own parent.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def in_the_child() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the kernel was asked
            os.kill(os.getpid(), signal.SIGTERM)

    return in_the_child
