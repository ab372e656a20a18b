"""`python -m harness jobs …`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from harness import plan as plans
from harness.errors import PlanError, StoreError
from harness.jobs import fetch as fetching
from harness.jobs import local, sizing
from harness.jobs.limits import LAMBDA
from harness.jobs.steps import prepare
from harness.jobs.store import checked_run_id, store_at
from harness.plan import Plan
from harness.promptsets.rows import Row
from harness.promptsets.store import load

KEY: str = "LLMO_API_KEY"


@click.group()
def jobs() -> None:
    """A run by many processes, here or as Lambda functions, merged exactly."""


plan_file = click.argument(
    "plan_file", metavar="PLAN", type=click.Path(path_type=Path, exists=True, dir_okay=True)
)
shards_option = click.option(
    "--shards", type=click.IntRange(min=1), required=True, help="How many processes or functions."
)
run_id_option = click.option("--run-id", help="Of the new run.  [default: the plan's and the time]")
promptset_option = click.option(
    "--promptset", help="Where the plan's promptset is.  [default: the shipped one of its name]"
)


@jobs.command("plan")
@plan_file
@shards_option
@run_id_option
@promptset_option
@click.option("--to", required=True, help="Where runs are kept: a folder, or s3://<bucket>/runs.")
@click.option(
    "--answer-s",
    type=click.FloatRange(min=0, min_open=True),
    help="How long an answer takes in a closed loop.  [default: the arms' timeout]",
)
def plan_command(
    plan_file: Path,
    shards: int,
    run_id: str | None,
    promptset: str | None,
    to: str,
    answer_s: float | None,
) -> None:
    """Cut PLAN (a plan.json, or a run's folder) into shards for Lambda functions.

    Refuses what a function could not do in its 15 minutes.
    """
    plan, rows = _read(plan_file, shards, run_id, promptset)
    store = store_at(f"{to.rstrip('/')}/{plan.run_id}")
    tasks = prepare(
        store, plan, rows, start_in_s=LAMBDA.start_in_s, limits=LAMBDA, answer_s=answer_s
    )
    click.echo(f"{len(tasks)} shards of run {plan.run_id} are in {store.where}")


@jobs.command("run")
@plan_file
@shards_option
@run_id_option
@promptset_option
@click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Folder of runs.",
)
@click.pass_context
def run_command(
    context: click.Context,
    plan_file: Path,
    shards: int,
    run_id: str | None,
    promptset: str | None,
    runs: Path,
) -> None:
    """Carry out PLAN (a plan.json, or a run's folder) by processes of this machine.

    The key is taken from LLMO_API_KEY. Exit code: the verdict's.
    """
    key = os.environ.get(KEY)
    if not key:
        raise StoreError(f"there is no API key: set {KEY}")
    plan, rows = _read(plan_file, shards, run_id, promptset)
    folder = runs / plan.run_id
    if folder.exists():
        raise StoreError(f"{folder} exists already: take another --run-id")
    store = store_at(str(runs / f"{plan.run_id}.shards"))
    tasks = prepare(store, plan, rows, start_in_s=local.START_IN_S)
    summary = local.run_tasks(store.where, tasks, key, click.echo)
    fetching.fetch(store, folder)
    click.echo(f"{summary.verdict}: {summary.findings[0].reason}")
    click.echo(f"the run is in {folder}")
    context.exit(summary.verdict.exit_code)


@jobs.command("size")
@click.option("--streams", type=click.IntRange(min=1), default=50_000, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1, max=900), default=600.0, show_default=True)
@click.option(
    "--tokens-per-s",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    help="Of one stream, repeatable.  [default: 20, 50, 100, 200]",
)
def size_command(streams: int, seconds: float, tokens_per_s: tuple[float, ...]) -> None:
    """How many functions so many streams take, and what a run costs."""
    click.echo(sizing.table(streams, seconds, tokens_per_s or sizing.RATES))


@jobs.command("fetch")
@click.argument("where", metavar="S3://BUCKET/RUNS/RUN_ID")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Folder of runs.",
)
def fetch_command(where: str, to: Path) -> None:
    """Download a merged run, so that `report` and `compare` can read it."""
    folder = to / checked_run_id(where.rstrip("/").rpartition("/")[2])
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{to} can't be made: {error.strerror}") from None
    fetching.fetch(store_at(where), folder)
    click.echo(f"fetched to {folder}")


def _read(
    path: Path, shards: int, run_id: str | None, promptset: str | None
) -> tuple[Plan, tuple[Row, ...]]:
    file = path / plans.FILE if path.is_dir() else path
    try:
        document = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise PlanError(f"{file} can't be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise PlanError(f"{file}: {error}") from None
    plan = plans.plan_of(document)
    now = datetime.now(UTC)
    plan = replace(
        plan,
        run_id=checked_run_id(run_id or f"{plan.run_id[:40]}-{now:%Y%m%dT%H%M%S}"),
        created=now.isoformat(timespec="seconds"),
        shards=shards,
    )
    return plan, load(promptset or plan.promptset.name, plan.promptset.version).select(
        plan.promptset
    )
