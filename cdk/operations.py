"""`python -m cdk.operations paused dev`, `… weights staging`: what `make` asks before it acts.

Exit codes: 0 done; 1 AWS didn't answer, or weights didn't come; 3 weights are missing, which a
deploy of the fleet brings; 64 wrong input.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

import click

from cdk.deployed import NotTold, has_object, is_paused, weights_bucket
from cdk.deployment import Deployment
from cdk.errors import CdkError
from cdk.stages import Stage, load_stage
from cdk.team_endpoints import team_endpoints
from cdk.weights import copied_files
from gpu_fleet.errors import FleetError
from sagemaker_models.endpoints import EndpointsError

FAILED: Final = 1
MISSING: Final = 3
WRONG_INPUT: Final = 64
_PAUSE_S: Final = 30


@click.group(help="What a deployed stage tells to who deploys or destroys it.")
def cli() -> None:
    pass


@cli.command(help="Is the stage paused? Prints true or false.")
@click.argument("stage")
def paused(stage: str) -> None:
    click.echo(str(is_paused(load_stage(stage))).lower())


@cli.command(help="Is everything in the bucket that the stage's SageMaker endpoints load?")
@click.argument("stage")
@click.option("--sagemaker", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option("--wait", type=click.IntRange(min=1), metavar="MINUTES", help="until it is, so long")
def weights(stage: str, sagemaker: str, wait: int | None) -> None:
    deployment = Deployment.read(stage, without_endpoints=sagemaker == "off")
    copied, published = needed(deployment)
    bucket = weights_bucket(deployment.stage) if copied else None
    if not copied:
        return
    if bucket is None:
        _tell_and_exit("no weights yet: the stage's buckets are still to be made", MISSING)
    where = f"s3://{bucket}"

    def look() -> Sequence[str]:
        return [f"{where}/{key}" for key in _lacking(deployment.stage, bucket, copied)]

    if wait:
        await_weights(look, tries=wait * 60 // _PAUSE_S)
    elif missing := look():
        _tell_and_exit(f"not there yet: {missing[0]}", MISSING)
    if lacking := _lacking(deployment.stage, bucket, published):
        raise NotTold(f"no {where}/{lacking[0]}: publish it first (docs/deploy.md, 4)")


def needed(deployment: Deployment) -> tuple[Sequence[str], Sequence[str]]:
    """Keys that the fleet's Jobs copy, and keys that people publish."""
    teams = team_endpoints(deployment) if deployment.sagemaker else []
    engines = [engine for team in teams for engine in team.engines.values()]
    copied = {key for engine in engines for key in copied_files(engine)}
    return sorted(copied), sorted(key for team in teams for key in team.adapters.values())


def await_weights(
    look: Callable[[], Sequence[str]], *, tries: int, pause: Callable[[float], None] = time.sleep
) -> None:
    """Raises NotTold when `look` still finds something missing after so many pauses."""
    missing = look()
    for number in range(tries):
        if not missing:
            return
        minutes = number * _PAUSE_S // 60
        click.echo(f"{minutes} min: waiting for the Job that copies {missing[0]}", err=True)
        pause(_PAUSE_S)
        missing = look()
    if missing:
        raise NotTold(
            f"no {missing[0]} after {tries * _PAUSE_S // 60} min; endpoints are as they were. See "
            "why its Job is not done (docs/troubleshooting.md, Engines), then deploy again"
        )


def _lacking(stage: Stage, bucket: str, keys: Sequence[str]) -> Sequence[str]:
    return [key for key in keys if not has_object(stage, bucket, key)]


def _tell_and_exit(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def main() -> None:
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message(), WRONG_INPUT)
    except NotTold as error:
        _fail(str(error), FAILED)
    except (CdkError, FleetError, EndpointsError) as error:
        _fail(str(error), WRONG_INPUT)


def _fail(message: str, code: int) -> NoReturn:
    _tell_and_exit(f"error: {message}", code)


if __name__ == "__main__":
    main()
