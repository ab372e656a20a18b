"""`python -m harness run …` and `benchmark …`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from harness import terminal
from harness.errors import StoreError, WrongInput
from harness.local.layout import Layout
from harness.options import ABOVE_0, FROM_1, options
from harness.report import write
from harness.runs import arrivals
from harness.runs.beginning import prepared
from harness.runs.execute import execute
from harness.runs.folder import RunFolder
from harness.runs.options import ASKED, FILES, HOW_MANY, WHAT, WHOM, document_of
from harness.runs.planning import Document, layered, read_plan_file
from harness.runs.progress import Progress
from harness.runs.tables import show
from harness.stage import Stage, keys_for
from harness.verdict import Verdict

_RUN: Final[Document] = {
    "load": {"arrivals": {"type": "closed", "concurrency": 2}},
    "expect": {"min_pass_rate": 0.9, "max_error_rate": 0.1},
    "validity": {"loop_lag_p99_ms": None},
}
_BENCHMARK: Final[Document] = {
    "promptset": {"name": "performance"},
    "load": {"arrivals": {"type": "closed", "concurrency": 8}, "duration_s": 30.0},
    "generation": {"unique_prefix": True},
    "validity": {"prefix_reuse": 0.1},
}


@click.command()
@options(WHAT[:1], WHOM, HOW_MANY)
@click.option(
    "--rate", type=ABOVE_0, metavar="R", help="Requests a second, answered or not: an open loop."
)
@click.option("--poisson", is_flag=True, help="With --rate: at random moments.")
@click.option("--repeat", type=FROM_1, default=1, metavar="N", help="Ask each row N times.")
@options(WHAT[1:], ASKED, FILES)
@click.pass_context
def run(context: click.Context, /, **values: Any) -> None:  # noqa: ANN401  # of many types
    """Ask a promptset, and check every answer.

    Without options that say otherwise: the local stack's team `reference`, each row once, 2 at a
    time; 90 % of the answers must pass their checks, and 10 % of the requests may fail.

    PASS 0: what was asked for holds. FAIL 1: it doesn't. INCONCLUSIVE 2: too few requests to tell.
    INVALID 3: some are unaccounted for, or the client was too busy to be believed.
    """
    _command(context, "run", _RUN, values, arrivals.of_run(values))


@click.command()
@options(WHAT[:1], WHOM)
@click.option(
    "--arrivals",
    type=click.Choice(list(arrivals.KINDS)),
    help="When requests are sent.  [default: by what else is given; else closed]",
)
@options(HOW_MANY)
@click.option(
    "--rate", metavar="R[,R…]", help="Requests a second; FROM,TO for a ramp; each step's for steps."
)
@click.option("--burst", type=FROM_1, metavar="N", help="Requests at a time; with --every.")
@click.option("--every", type=ABOVE_0, metavar="S", help="Seconds from one burst to the next.")
@options(WHAT[1:], ASKED, FILES)
@click.pass_context
def benchmark(context: click.Context, /, **values: Any) -> None:  # noqa: ANN401  # of many types
    """Measure a model or a gateway under load.

    An engine (--engine, --url) is asked directly, its answers streamed; a team through the gateway,
    whole. Without options that say otherwise: the set `performance` for 30 s, 8 at a time, every
    prompt with a prefix of its own; 1 % of the requests may fail; answers are not checked.

    PASS 0: what was asked for holds. FAIL 1: it doesn't. INCONCLUSIVE 2: too few requests to tell.
    INVALID 3: some are unaccounted for, prompts came from a cache, or the client was too busy to be
    believed.
    """
    _command(
        context, "benchmark", _BENCHMARK, {"repeat": 1, **values}, arrivals.of_benchmark(values)
    )


def _command(
    context: click.Context,
    kind: str,
    defaults: Document,
    values: Mapping[str, Any],
    when: Document | None,
) -> None:
    stack = Stage.of_local()
    if values["resume"] is not None:
        folder = _resumed(context, values["resume"])
        keys = keys_for(folder.plan, stack)
    else:
        said = document_of(values)
        if when is not None:
            said = layered(said, {"load": {"arrivals": when}})
        file = {} if values["plan"] is None else read_plan_file(values["plan"])
        plan, rows, keys = prepared(kind, layered(defaults, file, said), values, stack)
        output = values["output"] or Layout.of_repository().build / "runs"
        folder = RunFolder.create(output / plan.run_id, plan, rows)
    context.exit(_carried_out(folder, keys, report=values["report"]).exit_code)


def _resumed(context: click.Context, path: Path) -> RunFolder:
    """Raises WrongInput for options that a run which is resumed can't have any more, and for a run
    by many: its verdict knows of its shards what one process can't find again.
    """
    others = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if name not in {"resume", "report"}
        and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if others:
        raise WrongInput(f"--resume goes on as it was planned: leave out {', '.join(others)}")
    folder = RunFolder(path)
    if (shards := folder.plan.shards) > 1:
        raise WrongInput(
            f"{path} was recorded by {shards:,} shards at once: what is missing can't be made up "
            "for afterwards, alone; carry the plan out again (jobs run)"
        )
    return folder


def _carried_out(folder: RunFolder, keys: Mapping[str, str], *, report: bool) -> Verdict:
    console = terminal.console()
    again = f"python -m harness run --resume {terminal.from_here(folder.path)}"
    plan = folder.plan
    asked = ", ".join(f"{arm.model} at {arm.url}" for arm in plan.arms)
    console.print(f"{plan.run_id}: {asked}", soft_wrap=True)
    try:
        summary = execute(folder, keys, Progress(console))
    except KeyboardInterrupt:
        click.echo(f"stopped; what was recorded is kept. Go on with\n  {again}", err=True)
        raise
    except StoreError as error:
        raise StoreError(f"{error}. What was recorded is kept; go on with: {again}") from None
    show(summary, console)
    written = {"report": write(folder.path)} if report else {}
    terminal.closing(console, summary.verdict, run=folder.path, **written)
    return summary.verdict
