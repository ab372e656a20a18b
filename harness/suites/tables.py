"""A suite's report on a terminal."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from harness import terminal
from harness.suites.suite import StepResult, SuiteReport


def report(found: SuiteReport) -> Table:
    table = Table("", "asked", "found", title=f"Suite {found.suite}", title_justify="left")
    for step in found.steps:
        for row in _rows(step):
            table.add_row(*row)
        table.add_section()
    return table


def _rows(step: StepResult) -> Iterator[tuple[Text, Text, Text]]:
    if step.not_asked:
        yield Text("not asked", style="dim"), Text(step.name), Text(step.not_asked)
    for finding in step.findings:
        yield terminal.verdict(finding.verdict), Text(finding.name), Text(finding.reason)
