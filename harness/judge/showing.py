"""What the judge's commands print once they are done."""

from pathlib import Path
from typing import Final

from rich.console import Console

from harness import terminal
from harness.judge import probes, tables
from harness.judge.calibration import Calibration
from harness.judge.comparing import Compared
from harness.judge.judging import SUMMARY, Judged
from harness.verdict import Verdict

_TINY: Final = (
    "The judge of the local stack has learnt to score answers to 16 plain facts, the probes among "
    "them, and nothing else. "
)
_TINY_SCORES: Final = f"{_TINY}What it says of other answers shows how judging works, no more."
_TINY_PAIRS: Final = (
    f"{_TINY}It can't compare two answers, so INVALID is what this must end with: ask the judge of "
    "a deployed stage (--gateway)."
)


def scores(console: Console, judged: Judged, run: Path, *, local: bool) -> None:
    """`local`: was it the local stack's judge?"""
    for arm in judged.arms:
        console.print(tables.scores(arm))
    console.print(terminal.findings(judged.findings))
    if local:
        console.print(_TINY_SCORES)
    terminal.closing(console, judged.verdict, scores=run / SUMMARY)


def pairwise(console: Console, compared: Compared, path: Path, *, local: bool) -> None:
    console.print(f"Left: {compared.left}. Right: {compared.right}.", soft_wrap=True)
    console.print(tables.preferences(compared.figures))
    console.print(tables.position(compared.figures))
    console.print(terminal.findings(compared.findings))
    failed = any(
        finding.name.startswith(probes.NAME) and finding.verdict is Verdict.INVALID
        for finding in compared.findings
    )
    if failed and local:
        console.print(_TINY_PAIRS)
    terminal.closing(console, compared.verdict, preferences=path)


def calibration(console: Console, found: Calibration, written: Path) -> None:
    console.print(tables.calibration(found))
    console.print(terminal.findings(found.findings))
    terminal.closing(console, found.verdict, report=written)
