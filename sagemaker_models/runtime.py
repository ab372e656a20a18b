"""SageMaker's runtime on this machine: InvokeEndpoint in front of real engines.

moto answers every endpoint with a canned body; this forwards to the engine that the endpoint's
production variant names, as SageMaker does to its container's /invocations, and fails as SageMaker
fails, so that boto3 raises the same exceptions.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from sagemaker_models.endpoints import Endpoint, EndpointsError, load_endpoints
from sagemaker_models.invocation import Runtime, application

OK: Final = 0
WRONG: Final = 2


async def serve(listener: socket.socket, engines: Path, endpoints: Mapping[str, Endpoint]) -> None:
    """Until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with aiohttp.ClientSession() as http:
        runner = web.AppRunner(
            application(Runtime(endpoints=endpoints, engines=engines, http=http)), access_log=None
        )
        await runner.setup()
        await web.SockSite(runner, listener).start()
        await stopped.wait()
        await runner.cleanup()


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        _run(arguments.engines, arguments.port, arguments.state)
    except (EndpointsError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG
    return OK


def _run(engines: Path, port: int, state: Path) -> None:
    endpoints = load_endpoints()
    if not engines.is_file():
        raise EndpointsError(f"{engines} is missing: start the engines (python -m gpu_fleet up)")
    with socket.create_server(("127.0.0.1", port)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        _publish(state, url, endpoints)
        sys.stdout.write(f"SageMaker runtime on {url} for {', '.join(endpoints)}\n")
        sys.stdout.flush()
        try:
            asyncio.run(serve(listener, engines, endpoints))
        finally:
            state.unlink(missing_ok=True)


def _publish(state: Path, url: str, endpoints: Mapping[str, Endpoint]) -> None:
    """Whole or not at all, and for this user's eyes only."""
    content = {"url": url, "pid": os.getpid(), "endpoints": list(endpoints)}
    state.parent.mkdir(parents=True, exist_ok=True)
    unfinished = state.with_name(f".{state.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(state)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sagemaker_models.runtime",
        description="SageMaker's runtime in front of the engines of this machine; it stays in the "
        "foreground until SIGTERM or SIGINT.",
        epilog="Exit codes: 0 stopped, 2 wrong arguments or configuration. Engines are asked with "
        "the key in VLLM_API_KEY; signatures are checked against AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, where those are set.",
    )
    parser.add_argument("--engines", type=Path, default=Path("build/engines.json"))
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", type=Path, default=Path("build/sagemaker-runtime.json"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
