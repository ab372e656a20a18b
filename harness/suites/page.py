"""A suite's report as a page."""

from harness.report.page import Page, Section, Table
from harness.report.wording import plural, seconds
from harness.suites.suite import StepResult, SuiteReport


def page(report: SuiteReport) -> Page:
    findings = [finding for step in report.steps for finding in step.findings]
    bad = [one for one in findings if one.verdict.exit_code]
    return Page(
        title=f"Suite {report.suite}",
        subtitle=f"{report.description} · {report.gateway}",
        verdict=report.verdict,
        findings=tuple(bad) or tuple(findings),
        facts=(
            ("started", report.started),
            ("took", seconds(sum(step.seconds for step in report.steps))),
            ("asked", plural(len(findings), "question")),
            ("harness", report.harness_version),
        ),
        sections=tuple(map(_section, report.steps)),
    )


def _section(step: StepResult) -> Section:
    if step.not_asked:
        return Section(heading=step.name, prose=(f"Not asked: {step.not_asked}.",))
    return Section(
        heading=step.name,
        table=Table(
            columns=("asked", "verdict", "found"),
            rows=tuple((one.name, one.verdict.value, one.reason) for one in step.findings),
            text_columns=(0, 1, 2),
        ),
    )
