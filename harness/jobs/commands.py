"""`python -m harness jobs …`."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from harness import plan as plans
from harness import terminal
from harness.errors import PlanError, StoreError
from harness.jobs import fetch as fetching
from harness.jobs import local, sizing
from harness.jobs.limits import LAMBDA, check
from harness.jobs.shards import cut
from harness.jobs.store import checked_run_id, store_at
from harness.load.items import Items
from harness.local.layout import Layout
from harness.options import ABOVE_0, FROM_1, RUNS, FiniteRange
from harness.plan import Plan
from harness.promptsets.rows import Row
from harness.promptsets.store import load
from harness.report import write
from harness.runs.tables import show
from harness.stage import Stage, keys_for


@click.group()
def jobs() -> None:
    """A run by many processes or Lambda functions, merged."""


plan_file = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
shards_option = click.option(
    "--shards",
    type=FROM_1,
    required=True,
    metavar="N",
    help="How many processes or functions.",
)
run_id_option = click.option("--run-id", metavar="ID", help="Of the new run.  [default: made]")
promptset_option = click.option(
    "--promptset",
    metavar="SET",
    help="Where the plan's promptset is.  [default: the shipped one of its name]",
)


@jobs.command("plan")
@plan_file
@shards_option
@run_id_option
@promptset_option
@click.option(
    "--answer-s",
    type=ABOVE_0,
    metavar="S",
    help="How long an answer takes in a closed loop.  [default: the arms' timeout]",
)
def plan_command(
    plan_file: Path,
    shards: int,
    run_id: str | None,
    promptset: str | None,
    answer_s: float | None,
) -> None:
    """Print the input of the state machine.

    PLAN is a run's folder, or the plan.json in it. Refuses what a function could not do in its 15
    minutes. The promptset has to be in the bucket of runs (`promptset push`).
    """
    plan, rows = _read(plan_file, shards, run_id, promptset)
    planned = Items(plan, rows).planned
    cut(plan, planned)
    check(plan, planned or 0, answer_s, LAMBDA)
    document = {"plan": plan} | ({} if answer_s is None else {"answer_s": answer_s})
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))


@jobs.command("run")
@plan_file
@shards_option
@run_id_option
@promptset_option
@RUNS
@click.pass_context
def run_command(
    context: click.Context,
    plan_file: Path,
    shards: int,
    run_id: str | None,
    promptset: str | None,
    output: Path | None,
) -> None:
    """Carry a plan out by processes of this machine.

    PLAN is a run's folder, or the plan.json in it. The local stack is asked with its own keys,
    any other address with that in LLMO_API_KEY. The run is then like any other: `report` and
    `compare` read it. The exit code is the verdict's.
    """
    plan, rows = _read(plan_file, shards, run_id, promptset)
    keys = keys_for(plan, Stage.of_local())
    runs = output or Layout.of_repository().build / "runs"
    folder = runs / plan.run_id
    if folder.exists():
        raise StoreError(f"{folder} exists already: take another --run-id")
    with local.scratch(runs) as place:
        summary = local.run(place, plan, rows, keys, click.echo)
        fetching.fetch(store_at(place), folder)
    console = terminal.console()
    show(summary, console)
    terminal.closing(console, summary.verdict, run=folder, report=write(folder))
    context.exit(summary.verdict.exit_code)


@jobs.command("size")
@click.option(
    "--streams",
    type=FROM_1,
    metavar="N",
    default=50_000,
    show_default=True,
    help="Answers under way at once.",
)
@click.option(
    "--seconds",
    type=FiniteRange(min=1, max=900),
    metavar="S",
    default=600.0,
    show_default=True,
    help="How long the load lasts.",
)
@click.option(
    "--tokens-per-s",
    type=ABOVE_0,
    multiple=True,
    metavar="R",
    help="Of one stream, repeatable.  [default: 20, 50, 100, 200]",
)
def size_command(streams: int, seconds: float, tokens_per_s: tuple[float, ...]) -> None:
    """How many functions does a load take, and at what cost?"""
    click.echo(sizing.table(streams, seconds, tokens_per_s or sizing.RATES))


@jobs.command("fetch")
@click.argument("where", metavar="S3://BUCKET/RUNS/RUN_ID")
@RUNS
def fetch_command(where: str, output: Path | None) -> None:
    """Download a merged run, for `report` and `compare`."""
    to = output or Layout.of_repository().build / "runs"
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
