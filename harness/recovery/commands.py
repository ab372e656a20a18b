"""`python -m harness recovery …`."""

import asyncio
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from harness import terminal
from harness.options import (
    CATEGORY,
    FROM_0,
    FROM_1,
    GATEWAY,
    KNOWN_FILE,
    KNOWN_FOLDER,
    RUNS,
    SEED,
    promptset,
)
from harness.recovery.beginning import Wanted, begun, resumed
from harness.recovery.execute import observe, reported
from harness.recovery.results import Pairing, Recovery
from harness.report.wording import DASH, number, percent

_MOST_AT_ONCE: Final = 256


@click.command()
@click.option("--reference", metavar="NAME", help="A team, or team/variant.  [default: reference]")
@click.option("--candidate", metavar="NAME", help="Likewise.  [default: quant]")
@GATEWAY
@click.option(
    "--reference-url", metavar="URL", help="An engine to ask instead; NAME is what it serves."
)
@click.option("--candidate-url", metavar="URL", help="Likewise.")
@click.option(
    "--reference-weights",
    type=KNOWN_FOLDER,
    metavar="DIR",
    help="Its model folder, to tell its size.",
)
@click.option("--candidate-weights", type=KNOWN_FOLDER, metavar="DIR", help="Likewise.")
@promptset(default="tiny", show_default=True)
@CATEGORY
@click.option(
    "--rows",
    type=FROM_1,
    metavar="N",
    help="Only the first so many.  [default: all]",
)
@click.option(
    "--policy",
    type=KNOWN_FILE,
    metavar="TOML",
    help="Thresholds.  [default: harness/recovery/policy.toml]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, _MOST_AT_ONCE),
    metavar="N",
    default=4,
    show_default=True,
    help="Requests at once.",
)
@click.option(
    "--timings",
    type=FROM_0,
    metavar="N",
    default=66,
    show_default=True,
    help="How often each is timed. Fewer than 60 give no interval; 0: speed is not measured.",
)
@click.option(
    "--seed",
    type=SEED,
    metavar="N",
    default=0,
    show_default=True,
    help="Of the order in which they are timed.",
)
@RUNS
@click.option(
    "--resume", type=KNOWN_FOLDER, metavar="RUN", help="Go on with this run; its plan stands."
)
@click.pass_context
def recovery(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401  # as declared above
    """How much of the reference does a 4-bit model keep?

    Both answer the rows of a promptset; answers are graded, the reference's own are scored token
    by token by both, and both are timed in turns. The reference is measured against itself too:
    that is the noise floor.

    PASS 0: enough. FAIL 1: too little. INCONCLUSIVE 2: too few rows to tell. INVALID 3: the
    reference is not well, or is not the same twice.
    """
    wanted = Wanted(**options)
    console = terminal.console()
    stage = wanted.stage()
    folder = asyncio.run(begun(wanted, stage)) if wanted.resume is None else resumed(wanted.resume)
    console.print(f"Recording into {terminal.from_here(folder.path)}", soft_wrap=True)
    with terminal.progress("observed") as told:
        asyncio.run(observe(folder, stage, told))
    found = folder.write_result()
    written = reported(folder, found)
    console.print(_table(found))
    console.print(terminal.findings(found.findings))
    terminal.closing(console, found.verdict, run=folder.path, report=written)
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
