"""What every command shows alike: console, verdict, findings, progress."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from harness.verdict import Finding, Verdict

PIPED_WIDTH: Final = 100
_COLOURS: Final = {
    Verdict.PASS: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.FAIL: "red",
    Verdict.INVALID: "magenta",
}


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; where the output is piped, a width that most can read.

    Models answer with what they like, so brackets are no markup and colons no emoji.
    """
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, markup=False, emoji=False, stderr=stderr)


def verdict(of: Verdict) -> Text:
    return Text(of.value, style=f"bold {_COLOURS[of]}")


def findings(found: Iterable[Finding]) -> Table:
    table = Table("", "asked", "found", title_justify="left")
    for one in found:
        table.add_row(verdict(one.verdict), Text(one.name), Text(one.reason))
    return table


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how many of how many are done; shown on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
