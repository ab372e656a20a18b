"""A fake vLLM engine over HTTP, on 127.0.0.1 only.

    python -m chalicelib.backends.fake.server --port 0 --ttft-ms 50 --itl-ms 10

`POST /fake/behaviour` changes any knob while it runs, `GET /fake/requests` tells what came in.
The API key, if one shall be asked for, comes from FAKE_ENGINE_API_KEY.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Final, Self

from chalicelib.backends.fake import FAULTS, Behaviour, BehaviourError, FakeEngine
from chalicelib.backends.fake.http import Request
from chalicelib.backends.fake.pacing import pacer_for
from chalicelib.backends.fake.service import Connection, Service

HOST: Final = "127.0.0.1"
_BACKLOG: Final = 1024


class Listener:
    """An engine's port, open or (for the fault "refuse") held but closed."""

    def __init__(self, engine: FakeEngine, port: int) -> None:
        self._engine = engine
        self._pacer = pacer_for(asyncio.get_running_loop())
        self.service = Service(engine, self._pacer, self.behave)
        self._server: asyncio.Server | None = None
        self._held = _bound(port)
        self.port: int = self._held.getsockname()[1]

    async def adapt(self) -> None:
        """Open or close the port as the behaviour has it."""
        behaviour = self._engine.behaviour
        always = behaviour.fail_first is None and behaviour.fault_ratio == 1
        if behaviour.fault == "refuse" and always:
            self._stop_listening()
        elif self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Connection(self.service), sock=self._held, backlog=_BACKLOG
            )

    def behave(self, behaviour: Behaviour) -> None:
        """Take `behaviour` from now on; connections that are open stay so."""
        self._engine.behaviour = behaviour
        self._adapting = asyncio.ensure_future(self.adapt())

    def close(self) -> None:
        self._stop_listening()
        self._held.close()
        for connection in tuple(self.service.connections):
            connection.transport.abort()
        self._pacer.close()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._held = _bound(self.port)  # refuses, and nobody else can have it


def _bound(port: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # for all that it accepts
    try:
        held.bind((HOST, port))
    except OSError:
        held.close()
        raise
    held.settimeout(0)
    return held


class FakeServer:
    """A fake engine in a thread, for tests.

    with FakeServer(Behaviour(latency_s=0.1)) as server:
        ask(server.url)
        server.behaviour = Behaviour(fault="hang")
    """

    def __init__(self, behaviour: Behaviour | None = None, *, port: int = 0) -> None:
        self._engine = FakeEngine(behaviour or Behaviour())
        self._started: Future[Listener] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(port)), name="fake engine", daemon=True
        )
        self._thread.start()
        self._listener = self._started.result()
        self.url = f"http://{HOST}:{self._listener.port}"

    @property
    def behaviour(self) -> Behaviour:
        return self._engine.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        """In force, for the port too, when the assignment returns."""
        self._engine.behaviour = behaviour
        asyncio.run_coroutine_threadsafe(self._listener.adapt(), self._loop).result()

    @property
    def requests(self) -> tuple[Request, ...]:
        """The latest requests for the engine itself, oldest first."""
        return tuple(self._listener.service.requests)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def _run(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            listener = Listener(self._engine, port)
            await listener.adapt()
        except OSError as error:
            self._started.set_exception(error)
            return
        self._started.set_result(listener)
        await self._stopping.wait()
        listener.close()


def _behaviour(options: argparse.Namespace) -> Behaviour:
    return Behaviour(
        latency_s=options.latency_ms / 1000,
        time_to_first_token_s=options.ttft_ms / 1000,
        inter_token_latency_s=options.itl_ms / 1000,
        models=tuple(options.model) if options.model else None,
        api_key=os.environ.get("FAKE_ENGINE_API_KEY") or None,
        max_model_len=options.max_model_len,
        answer=options.answer,
        fault=options.fault,
        fault_ratio=options.fault_ratio,
        fail_first=options.fail_first,
        seed=options.seed,
        faults_health=options.faults_health,
        status=options.status,
        retry_after_s=options.retry_after_s,
        trickle_interval_s=options.trickle_interval_s,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fake_server", description="A fake vLLM engine on 127.0.0.1."
    )
    add, default = parser.add_argument, Behaviour()
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--latency-ms", type=float, default=0.0, help="before anything else")
    add("--ttft-ms", type=float, default=0.0, help="time to the first token")
    add("--itl-ms", type=float, default=0.0, help="time between tokens")
    add("--model", action="append", help="a served name, repeatable; without one any is served")
    add("--max-model-len", type=int, default=default.max_model_len, help="tokens of context")
    add("--answer", help="say this; without it words from the prompt's digest")
    add("--fault", choices=FAULTS, default="none")
    add("--fault-ratio", type=float, default=1.0, help="share of requests that the fault hits")
    add("--fail-first", type=int, help="only the first so many requests are hit")
    add("--seed", type=int, default=0, help="of the ids, and of which requests are hit")
    add("--faults-health", action="store_true", help="health checks suffer the fault too")
    add("--status", type=int, default=default.status, help='of the fault "status"')
    add("--retry-after-s", type=int, help='of the fault "status"')
    add("--trickle-interval-s", type=float, default=default.trickle_interval_s)
    return parser.parse_args(arguments)


async def _serve(behaviour: Behaviour, port: int) -> None:
    listener = Listener(FakeEngine(behaviour), port)
    await listener.adapt()
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    gc.freeze()  # what lives as long as the process need not be walked while tokens are due
    sys.stdout.write(f"fake engine on http://{HOST}:{listener.port}\n")
    sys.stdout.flush()
    await stopping.wait()
    listener.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 after SIGINT or SIGTERM, 1 if the port can't be had, 2 for a wrong option."""
    options = _options(arguments)
    try:
        behaviour = _behaviour(options)
    except BehaviourError as error:
        sys.stderr.write(f"fake_server: {error}\n")
        return 2
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(behaviour, options.port))
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"fake_server: port {options.port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
