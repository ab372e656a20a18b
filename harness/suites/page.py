"""A suite's report as a page."""

import msgspec

from harness.judge.judging import worst_first
from harness.report.page import Page, Section, Table
from harness.report.wording import plural, seconds
from harness.suites.suite import StepResult, SuiteReport
from harness.verdict import Finding, Verdict, overall


def page(report: SuiteReport) -> Page:
    findings = [finding for step in report.steps for finding in step.findings]
    return Page(
        title=f"Suite {report.suite}",
        subtitle=f"{report.description} · {report.gateway}",
        verdict=report.verdict,
        findings=worst_first(map(_whole, (step for step in report.steps if step.findings))),
        facts=(
            ("started", report.started),
            ("took", seconds(sum(step.seconds for step in report.steps))),
            ("asked", plural(len(findings), "question")),
            ("harness", report.harness_version),
        ),
        sections=tuple(_section(step) for step in report.steps if len(step.findings) != 1),
    )


def _whole(step: StepResult) -> Finding:
    """A step in one line; where it asked several things, its own section tells the rest."""
    if len(step.findings) == 1:
        return msgspec.structs.replace(step.findings[0], name=step.name)
    verdict = overall(step.findings)
    well = sum(one.verdict is Verdict.PASS for one in step.findings)
    worst = next(one for one in step.findings if one.verdict is verdict)
    reason = f"{well} of {plural(len(step.findings), 'question')} as it should be"
    return Finding(
        name=step.name,
        verdict=verdict,
        reason=reason if verdict is Verdict.PASS else f"{reason}; {worst.name}: {worst.reason}",
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
