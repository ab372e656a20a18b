"""`python -m harness suite …`."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from harness import terminal
from harness.judge import journal
from harness.local.layout import Layout
from harness.options import GATEWAY, OUTPUT_FOLDER
from harness.promptsets import store
from harness.stage import Stage
from harness.suites import tables
from harness.suites.suite import NAMES, SuiteReport, carry_out, load
from harness.suites.visit import Visit

REPORT = "suite.json"
PAGE = "suite.html"


@click.command()
@click.argument("name", type=click.Choice(NAMES), metavar="SUITE")
@GATEWAY
@click.option(
    "--promptset",
    metavar="SET",
    help="What quality is measured with.  [default: tiny; at a deployed stage, canary]",
)
@click.option("--kubectl", metavar="NAMESPACE", default="", help="Count its pods (autoscaling).")
@click.option(
    "--output",
    metavar="DIR",
    type=OUTPUT_FOLDER,
    help="The suite's folder is made there.  [default: build/runs]",
)
@click.pass_context
def suite(
    ctx: click.Context,
    name: str,
    gateway: str | None,
    promptset: str | None,
    kubectl: str,
    output: Path | None,
) -> None:
    """Is a running platform as it should be?

    \b
    golden       is it well: every team, contracts, refusals, quality, judge, metrics
    failures     malformed, oversized, many and slow requests; it survives them
    quant        quality and speed of the 4-bit model against the reference
    finetune     the split holds, sessions stick, adapters differ and compare
    autoscaling  a ladder of load, what the engines' queues do, and that it recovers

    The worst finding is the verdict: PASS 0, FAIL 1, INCONCLUSIVE 2, INVALID 3.
    """  # noqa: D301  # click's mark for lines that stay as they are
    from harness.report.page import write_page  # noqa: PLC0415  # drawing is slow to import
    from harness.suites.page import page  # noqa: PLC0415

    stage = Stage.of(gateway)
    chosen = promptset or ("tiny" if stage.local else "canary")
    store.load(chosen)
    runs = output or Layout.of_repository().build / "runs"
    folder = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-suite-{name}"
    report = asyncio.run(_visited(name, stage, folder, chosen, kubectl))
    journal.write(folder / REPORT, report)
    written = write_page(page(report), folder / PAGE)
    console = terminal.console()
    console.print(tables.report(report))
    terminal.closing(console, report.verdict, report=written)
    ctx.exit(report.verdict.exit_code)


async def _visited(
    name: str, stage: Stage, folder: Path, promptset: str, kubectl: str
) -> SuiteReport:
    async with stage.client() as gateway:
        visit = Visit(
            stage=stage, gateway=gateway, folder=folder, promptset=promptset, kubectl=kubectl
        )
        with terminal.console(stderr=True).status(f"suite {name}") as status:
            return await carry_out(
                name, load(name), visit, lambda step: status.update(f"suite {name}: {step}")
            )
