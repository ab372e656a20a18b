"""`python -m cdk cost --stage dev`, `python -m cdk plan`.

Exit codes: 0 done; 1 the stage doesn't synthesise, or an engine doesn't fit; 64 wrong input.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from rich.console import Console

from cdk.assembly import Resource, SynthFailed, resources, synthesise
from cdk.cost_table import cost_table
from cdk.costs import bill
from cdk.deployment import Deployment
from cdk.errors import CdkError
from cdk.prices import PRICES_TOML, load_prices
from gpu_fleet.__main__ import main as gpu_fleet
from gpu_fleet.errors import FleetError
from sagemaker_models.endpoints import EndpointsError

FAILED: Final = 1
WRONG_INPUT: Final = 64
TABLE_WIDTH: Final = 130  # where the output is no terminal


@click.group(help="What a stage costs, and whether its engines fit.")
def cli() -> None:
    pass


@cli.command(help="What a stage costs by the hour: paused, idle, at most.")
@click.option("--stage", required=True, help="one of cdk/stages.toml")
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    default=PRICES_TOML,
    show_default="cdk/prices.toml",
    help="what AWS asks",
)
def cost(stage: str, prices: Path) -> None:
    deployment = Deployment.read(stage)
    listed = load_prices(prices)
    click.echo(f"synthesising {stage}, running and paused …", err=True)
    running, paused = _both(stage)
    lines = bill(deployment, listed, running=running, paused=paused)
    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    if deployment.stage.region != listed.region:
        console.print(f"prices are of {listed.region}; {stage} is in {deployment.stage.region}")
    console.print(cost_table(stage, lines, listed))


@cli.command(help="Does each engine fit its instance types? (python -m gpu_fleet plan)")
def plan() -> None:
    sys.exit(gpu_fleet(["plan"]))


def _both(stage: str) -> tuple[list[Resource], list[Resource]]:
    with TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        places = {paused: Path(folder) / f"paused-{paused}" for paused in (False, True)}
        list(pool.map(lambda paused: synthesise(stage, places[paused], paused=paused), places))
        return resources(places[False]), resources(places[True])


def main() -> None:
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message(), WRONG_INPUT)
    except SynthFailed as error:
        _fail(str(error), FAILED)
    except (CdkError, FleetError, EndpointsError) as error:
        _fail(str(error), WRONG_INPUT)


def _fail(message: str, code: int) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
