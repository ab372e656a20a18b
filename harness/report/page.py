"""What a report is made of, and the one HTML file that it becomes.

The file needs nothing but itself: no script, no network, no font. Everything that goes in is text,
never markup, since prompts, answers and names come from whoever was asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.report.drawing import Chart, picture
from harness.report.wording import DASH
from harness.runs.journal import write_whole
from harness.verdict import Finding, Verdict

FILE: Final = "report.html"
_TEMPLATE: Final = "page.html.jinja"
_SYMBOLS: Final = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✕",
    Verdict.INCONCLUSIVE: "?",
    Verdict.INVALID: "⊘",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A table's cell that needs more than its text."""

    text: str
    title: str = ""
    """Why it says what it says; shown when it is pointed at, and read out."""
    series: int | None = None
    """The colour of a chart's series, from 0: a key to the chart."""


def unknown(reason: str) -> Cell:
    return Cell(text=DASH, title=reason)


@dataclass(frozen=True, kw_only=True)
class Table:
    columns: tuple[str | Cell, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    text_columns: tuple[int, ...] = (0,)
    """Aligned left; the others hold numbers and are aligned right."""
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """Texts that belong together, e.g. a question and its answer; line breaks are kept."""

    label: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Drawn in this order: heading, prose, chart, table, quotes."""

    heading: str
    prose: tuple[str, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One of the few numbers that a page begins with; one value for each series."""

    label: str
    values: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    title: str
    subtitle: str = ""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    """Worst first, as they come."""
    figures: tuple[Figure, ...] = ()
    series: tuple[str, ...] = ()
    """Names of the series that figures have a value for, where there are several."""
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()


def render(page: Page) -> str:
    """The whole file. Charts are drawn here: that takes some tenths of a second each."""
    numbers = count()
    return _template().render(
        page=page,
        symbol=_SYMBOLS,
        cell=_cell,
        picture=lambda chart: picture(chart, f"chart{next(numbers)}"),
        css=Markup(_css()),  # noqa: S704  # a file of ours
    )


def write_page(page: Page, path: Path) -> Path:
    """Puts the whole file there, or leaves what is there. Raises StoreError."""
    write_whole(path, render(page).encode(errors="replace"))
    return path


def _cell(cell: str | Cell) -> Cell:
    return Cell(text=cell) if isinstance(cell, str) else cell


def arm_columns(first: str, names: Sequence[str]) -> tuple[str | Cell, ...]:
    """A table's columns, one for each series of the charts, keyed by their colours."""
    if len(names) == 1:
        return (first, names[0])
    return (first, *(Cell(text=name, series=place) for place, name in enumerate(names)))


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE)


@cache
def _css() -> str:
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
