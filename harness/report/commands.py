"""`python -m harness report …`."""

from pathlib import Path

import click

from harness.options import FOLDER
from harness.report import write


@click.command()
@click.argument("run", metavar="RUN", type=FOLDER)
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
def report(run: Path, *, shown: bool) -> None:
    """Make a run's page and CSV again, from its records.

    \b
    report.html   one file that needs nothing else
    records.csv   a line for each request
    summary.csv   every figure with its interval
    """  # noqa: D301  # click's mark for lines that stay lines
    page = write(run)
    click.echo(page)
    if shown:
        click.launch(str(page))
