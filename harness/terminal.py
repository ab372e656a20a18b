"""What every command shows alike: console, verdict, findings, progress."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
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


def closing(console: Console, of: Verdict, **written: Path) -> None:
    """The last lines of every command that judges: its verdict, and where to read on."""
    console.print(verdict(of))
    wide = max(map(len, written))
    for what, path in written.items():
        console.print(f"{what:{wide}}  {from_here(path)}", soft_wrap=True)


def from_here(path: Path) -> Path:
    """As it would be typed here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def findings(found: Iterable[Finding]) -> Table:
    table = Table("", Column("asked", overflow="fold"), "found")
    for one in found:
        table.add_row(verdict(one.verdict), Text(one.name), Text(one.reason))
    return table


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how many of how many are done; shown on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = console(stderr=True)
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=shown,
        transient=True,
        disable=not shown.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
