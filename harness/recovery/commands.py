"""`python -m harness recovery …`."""

import asyncio
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from harness import terminal
from harness.recovery.beginning import Wanted, begun, resumed
from harness.recovery.execute import observe, reported
from harness.recovery.results import Pairing, Recovery
from harness.report.wording import DASH, number, percent

_MOST_AT_ONCE: Final = 256

_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--reference", metavar="MODEL", help="A team, or team/variant. [reference]")
@click.option("--candidate", metavar="MODEL", help="Likewise. [quant]")
@click.option(
    "--gateway", metavar="URL", help="A deployed stage, its key in LLMO_API_KEY. [the local stack]"
)
@click.option(
    "--reference-url", metavar="URL", help="An engine to ask instead; MODEL is what it serves."
)
@click.option("--candidate-url", metavar="URL", help="Likewise.")
@click.option("--reference-weights", type=_folder, help="Its model folder, to tell its size.")
@click.option("--candidate-weights", type=_folder, help="Likewise.")
@click.option("--promptset", default="tiny", show_default=True, help="Name, folder/, or s3://…")
@click.option("--category", "categories", multiple=True, help="Only such rows; repeatable.")
@click.option("--rows", type=click.IntRange(min=1), help="Only the first so many. [all]")
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Thresholds. [those of harness/recovery/policy.toml]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, _MOST_AT_ONCE),
    default=4,
    show_default=True,
    help="Requests at once.",
)
@click.option(
    "--timings",
    type=click.IntRange(min=0),
    default=66,
    show_default=True,
    help="How often each is timed. Fewer than 60 give no interval; 0: speed is not measured.",
)
@click.option("--seed", type=click.IntRange(0, 2**53), default=0, show_default=True)
@click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the run gets one. [build/runs]",
)
@click.option("--resume", type=_folder, help="Go on with the run in this folder; its plan stands.")
@click.pass_context
def recovery(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401  # as declared above
    """How much of the reference is left in a quantized model, and is that enough?

    Both answer the rows of a promptset; answers are graded, the reference's own are scored token
    by token by both, and both are timed in turns. The reference is measured against itself too:
    that is the noise floor. Writes recovery.json and report.html into the run's folder.
    """
    wanted = Wanted(**options)
    console = terminal.console()
    stage = wanted.stage()
    folder = asyncio.run(begun(wanted, stage)) if wanted.resume is None else resumed(wanted.resume)
    console.print(f"Recording into {folder.path}", soft_wrap=True)
    with terminal.progress("observed") as told:
        asyncio.run(observe(folder, stage, told))
    found = folder.write_result()
    written = reported(folder, found)
    console.print(_table(found))
    console.print(terminal.findings(found.findings))
    console.print(terminal.verdict(found.verdict), f"{written}", soft_wrap=True)
    ctx.exit(found.verdict.exit_code)


def _table(found: Recovery) -> Table:
    table = Table(
        title=f"{found.plan.candidate.model} against {found.plan.reference.model}",
        title_justify="left",
    )
    table.add_column("")
    for column in ("recovery", "KL, nats a token", "same top-1", "identical", "latency ratio"):
        table.add_column(column, justify="right")
    table.add_row(Text(found.plan.candidate.model), *_figures(found.candidate))
    table.add_row("reference against itself", *_figures(found.floor))
    return table


def _figures(of: Pairing) -> tuple[str, ...]:
    recovered = of.quality.recovery if of.quality else None
    latency = of.speed.latency if of.speed else None
    return (
        percent(recovered.value) if recovered else DASH,
        number(of.fidelity.kl.value) if of.fidelity else DASH,
        percent(of.fidelity.top1.value) if of.fidelity else DASH,
        f"{of.divergence.identical} of {of.divergence.answers}" if of.divergence else DASH,
        number(latency.value) if latency else DASH,
    )
