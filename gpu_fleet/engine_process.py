"""One engine as a process of this machine: reserve a port, start, wait until it serves, stop."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp

from gpu_fleet.errors import EngineFailed

POLL_S: Final = 0.5
# The server's own --shutdown-timeout, and time to tear down after it.
STOP_WITHIN_S: Final = 35
# vLLM 0.32 hangs on a SIGTERM while it starts; and then nothing is lost by killing it.
STOP_STARTING_WITHIN_S: Final = 3
TAIL_LINES: Final = 5
CAUSES: Final = 3
# "SomeError: why" or "program: error: why", at the start of a line or of a logger's message.
CAUSE: Final = re.compile(r"(?:^|\] +)((?:[\w.]*(?:Error|Exception)|[\w.]+: error): .+)")


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
        )


async def wait_until_serving(
    launch: Launch,
    process: asyncio.subprocess.Process,
    http: aiohttp.ClientSession,
) -> None:
    """Returns when every model has given a token; raises EngineFailed if the engine can't."""
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


async def stop(process: asyncio.subprocess.Process, within_s: float) -> None:
    """SIGTERM to the server, which lets its requests finish; then SIGKILL to its whole group.

    Its workers must not get the SIGTERM: they would drop those requests.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), within_s)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def died(launch: Launch, process: asyncio.subprocess.Process, when: str) -> EngineFailed:
    code = process.returncode or 0
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return failed(launch, f"{when}, {how}")


def failed(launch: Launch, reason: str) -> EngineFailed:
    tail = "".join(f"\n  | {line}" for line in log_excerpt(launch.log))
    return EngineFailed(launch.name, f"{reason}; its log is {launch.log}{tail}")


def log_excerpt(log: Path) -> list[str]:
    """The first errors that it names, because the rest follow from them; else its last lines."""
    with suppress(OSError):
        text = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        causes = dict.fromkeys(found[1] for line in text if (found := CAUSE.search(line)))
        return list(causes)[:CAUSES] or text[-TAIL_LINES:]
    return []


async def _becomes_serving(launch: Launch, http: aiohttp.ClientSession) -> None:
    while not await _is_healthy(launch, http):  # noqa: ASYNC110  (another process's state)
        await asyncio.sleep(POLL_S)
    listed = await _ask(launch, http.get(f"{launch.url}/v1/models", headers=_authorization()))
    if missing := set(launch.models) - {model["id"] for model in listed["data"]}:
        raise failed(launch, f"is healthy but does not serve {', '.join(sorted(missing))}")
    for model in launch.models:
        # Healthy engines have died of their first token, for want of a kernel.
        token = {"model": model, "prompt": "Hello", "max_tokens": 1}
        url = f"{launch.url}/v1/completions"
        await _ask(launch, http.post(url, json=token, headers=_authorization()))


async def _ask(
    launch: Launch, request: AbstractAsyncContextManager[aiohttp.ClientResponse]
) -> dict[str, Any]:
    try:
        async with request as answer:
            if answer.status != HTTPStatus.OK:
                where = answer.url.path
                raise failed(launch, f"is healthy but answers {where} with {answer.status}")
            content: dict[str, Any] = await answer.json()
            return content
    except (aiohttp.ClientError, TimeoutError) as error:
        raise failed(launch, f"is healthy but does not answer: {type(error).__name__}") from error


def _authorization() -> dict[str, str]:
    key = os.environ.get("VLLM_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


async def _is_healthy(launch: Launch, http: aiohttp.ClientSession) -> bool:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with http.get(f"{launch.url}/health") as answer:
            return answer.status == HTTPStatus.OK
    return False
