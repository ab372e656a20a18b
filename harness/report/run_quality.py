"""Were the answers right, and what went wrong where not?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.load.failures import describe
from harness.report import charts
from harness.report.page import Cell, Quote, Section, Table, arm_columns, unknown
from harness.report.wording import clipped, count, percent, plural
from harness.summary import ArmSummary, Rate, Summary

_LONGEST: Final = 600
_PASSED: Final = (
    "Share of requests whose answer passed all checks of its row, with 95 % intervals (Wilson). A "
    "request that failed did not pass."
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A request that failed, or whose answer did."""

    index: int
    arm: str
    prompt_id: str
    category: str
    question: str
    answer: str
    error: str = ""
    """A class of `harness.load.failures`."""
    checks: tuple[str, ...] = ()
    """The checks that failed, and why."""


def checks(summary: Summary) -> Section | None:
    """None where no row that was asked has checks."""
    arms = [arm for arm in summary.arms if arm.pass_rate is not None]
    if not arms:
        return None
    names = [arm.arm for arm in summary.arms]
    categories = sorted({category for arm in arms for category in arm.by_category})
    groups = {
        category: {
            arm.arm: arm.by_category[category] for arm in arms if category in arm.by_category
        }
        for category in categories
    }
    columns = arm_columns("category", names)
    rows = tuple(
        (category, *_rates([arm.by_category.get(category) for arm in summary.arms]))
        for category in categories
    )
    overall = ("all", *_rates([arm.pass_rate for arm in summary.arms]))
    return Section(
        heading="Quality",
        prose=(_PASSED,),
        chart=charts.rates("pass rate", groups, names),
        table=Table(columns=_with_intervals(columns), rows=(*rows, overall)),
    )


def errors(summary: Summary) -> Section:
    """Failed requests by class; a sentence where there is none."""
    arms = summary.arms
    classes = sorted({name for arm in arms for name in arm.errors})
    if not classes:
        asked = plural(sum(arm.requests for arm in arms), "request")
        return Section(heading="Errors", prose=(_no_error(asked, arms),))
    names = [arm.arm for arm in arms]
    counts = {name: {arm.arm: arm.errors.get(name, 0) for arm in arms} for name in classes}
    rows = tuple(
        (name, describe(name), *(count(arm.errors.get(name, 0)) for arm in arms))
        for name in sorted(classes, key=lambda name: -sum(counts[name].values()))
    )
    columns = arm_columns("class", names)
    return Section(
        heading="Errors",
        prose=tuple(_failed(arm) for arm in arms),
        chart=charts.tally("Failed requests by class", counts, names),
        table=Table(columns=(columns[0], "meaning", *columns[1:]), rows=rows, text_columns=(0, 1)),
    )


def examples(failures: Sequence[Failure]) -> Section | None:
    if not failures:
        return None
    return Section(
        heading="What went wrong, for example",
        prose=("At most three of a kind. All of them are in records.csv.",),
        quotes=tuple(_quote(failure) for failure in failures),
    )


def _quote(failure: Failure) -> Quote:
    parts = [("asked", clipped(failure.question, _LONGEST))]
    if failure.answer or not failure.error:
        parts.append(("answered", clipped(failure.answer, _LONGEST) or "nothing"))
    if failure.error:
        parts.append(("error", f"{failure.error}: {describe(failure.error)}"))
    if failure.checks:
        parts.append(("failed", clipped("\n".join(failure.checks), _LONGEST)))
    where = ", ".join(filter(None, (failure.prompt_id, failure.category, failure.arm)))
    return Quote(label=f"Request {count(failure.index)}: {where}", parts=tuple(parts))


def _rates(rates: Sequence[Rate | None]) -> tuple[str | Cell, ...]:
    return tuple(cell for rate in rates for cell in _rate(rate))


def _rate(rate: Rate | None) -> tuple[str | Cell, str | Cell, str | Cell]:
    if rate is None:
        return unknown("no row with checks was asked"), "", ""
    return (
        percent(rate.value),
        f"{count(rate.count)} of {count(rate.of)}",
        f"{percent(rate.low)} to {percent(rate.high)}",
    )


def _with_intervals(columns: Sequence[str | Cell]) -> tuple[str | Cell, ...]:
    spread: list[str | Cell] = [columns[0]]
    for column in columns[1:]:
        spread += [column, "passed", "95 % interval"]
    return tuple(spread)


def _failed(arm: ArmSummary) -> str:
    rate = arm.error_rate
    return (
        f"{arm.arm}: {count(rate.count)} of {plural(rate.of, 'request')} failed, "
        f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})."
    )


def _no_error(asked: str, arms: Sequence[ArmSummary]) -> str:
    if not any(arm.requests for arm in arms):
        return "No request was measured."
    most = max(arm.error_rate.high for arm in arms)
    return f"None of {asked} failed; the true rate may still be up to {percent(most)}."
