"""`python -m harness local …`."""

import asyncio
import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import click
import httpx

from harness import terminal
from harness.demo.show import demonstrate
from harness.errors import GatewayError, NoStackError, StackError
from harness.local import background
from harness.local.identity import end
from harness.local.layout import Layout
from harness.local.lock import holder, only_supervisor
from harness.local.state import StackState, running
from harness.local.status import report
from harness.local.supervisor import supervise


@click.group()
@click.option(
    "--build",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of models, logs and local.json.  [default: build]",
)
@click.pass_context
def local(context: click.Context, build: Path | None) -> None:
    """The platform on this machine: engines, AWS stand-in, gateway."""
    context.obj = Layout.of_repository(build)


@local.command()
@click.option("--detach", is_flag=True, help="Return when it is ready; it goes on running.")
@click.option(
    "--engines",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use engines that run already: the state file of `gpu_fleet up`. They are asked with the "
    "key in VLLM_API_KEY.",
)
@click.pass_obj
def up(layout: Layout, engines: Path | None, *, detach: bool) -> None:
    """Start everything, and stop it on SIGTERM or Ctrl-C."""
    if state := running(layout.state):
        click.echo(f"already up: the gateway is on {state.gateway_url}")
        return
    engines = engines.absolute() if engines else None
    if detach:
        options = ("--engines", str(engines)) if engines else ()
        started = background.start(layout, click.echo, options=options, survive=True)
        click.echo(welcome(started.state, layout))
        return
    engine_key = (os.environ.get("VLLM_API_KEY") if engines else None) or secrets.token_hex(32)
    with only_supervisor(layout.lock):
        asyncio.run(supervise(layout, Progress(), engine_key=engine_key, running_engines=engines))


@local.command()
@click.pass_obj
def down(layout: Layout) -> None:
    """Stop it."""
    supervisor = holder(layout.lock)
    if supervisor is None or not end(supervisor):
        click.echo("nothing was running")
        return
    click.echo(f"stopped (supervisor {supervisor.pid})")


@local.command()
@click.pass_obj
def status(layout: Layout) -> None:
    """What runs, and is it ready? Exit code 69 where it is not."""
    state = running(layout.state)
    if state is None:
        raise NoStackError("nothing is running: start it with 'make up'")
    ready = asyncio.run(report(state, terminal.console()))
    if not ready:
        raise StackError("not every team can be answered")


@local.command()
@click.option(
    "--requests",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Sessions to split.",
)
@click.pass_obj
def demo(layout: Layout, requests: int) -> None:
    """Ask every team, and check what comes back.

    Starts and stops a stack where none runs.
    """
    with background.borrowed(layout, click.echo) as state:
        try:
            asyncio.run(demonstrate(state, terminal.console(), requests=requests))
        except httpx.HTTPError as error:
            raise GatewayError(f"the gateway did not answer: {error!r}") from None


def welcome(state: StackState, layout: Layout) -> str:
    file = layout.shown(layout.state)
    return f"""
The gateway is on {state.gateway_url}
Keys for {", ".join(state.keys)} and an admin are in {file}, logs in {layout.shown(layout.logs)}

  KEY=$(python3 -c "import json; print(json.load(open('{file}'))['keys']['quant'])")
  curl -s {state.gateway_url}/api/quant/predict -H "Authorization: Bearer $KEY" \\
    -H "Content-Type: application/json" -d '{{"prompt": "What is 2+2?"}}'

make down stops it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """As lines: what happened, and after how long."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    began: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        self.out.write(f"{time.monotonic() - self.began:4.0f} s  {text}\n")
        self.out.flush()
