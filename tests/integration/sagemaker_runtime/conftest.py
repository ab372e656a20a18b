"""The SageMaker runtime stand-in, in front of a real small engine."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from sagemaker_models.endpoints import load_endpoints
from sagemaker_models.invocation import Runtime, application
from tests.integration.sagemaker_runtime.stand_in import Engine, Serve


@pytest.fixture
def engine() -> Iterator[Engine]:
    state = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.asked.append((self.path, headers, body))
            if state.hang:
                state.released.wait()
            self.send_response(state.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(state.content) + state.cut))
            self.end_headers()
            self.wfile.write(state.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield state
    state.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def engines(engine: Engine, tmp_path: Path) -> Path:
    """The state file of a fleet in which every engine is the small one."""
    names = {v.engine for e in load_endpoints().values() for v in e.variants.values()}
    state = tmp_path / "engines.json"
    state.write_text(json.dumps({"engines": {name: {"url": engine.url} for name in names}}))
    return state


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-for-tests")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("VLLM_API_KEY", "engine-key-for-tests")


@pytest.fixture
def serve(engines: Path) -> Iterator[Serve]:
    """Starts the stand-in in a thread, with any endpoints and limits; gives its URL."""
    stops: list[Callable[[], None]] = []

    def start(**settings: object) -> str:
        defaults = {"endpoints": load_endpoints(), "engines": engines}
        loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        up = threading.Event()
        stopped = asyncio.Event()

        async def run() -> None:
            async with aiohttp.ClientSession() as http:
                runtime = Runtime(**cast("Any", {**defaults, "http": http, **settings}))
                runner = web.AppRunner(application(runtime), access_log=None)
                await runner.setup()
                await web.SockSite(runner, listener).start()
                up.set()
                await stopped.wait()
                await runner.cleanup()

        thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
        thread.start()
        up.wait()

        def stop() -> None:
            loop.call_soon_threadsafe(stopped.set)
            thread.join()
            loop.close()
            listener.close()

        stops.append(stop)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for stop in stops:
        stop()
