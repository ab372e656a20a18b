"""A calibration as a page."""

from harness.judge.calibration import Calibration, Judged
from harness.judge.scoring import DIMENSIONS, Scored
from harness.report.charts import Span, bands, rates
from harness.report.page import Cell, Figure, Page, Quote, Section, Table, unknown
from harness.report.wording import clipped, number, percent, plural
from harness.statistics.interval import Interval
from harness.summary import Rate

_LONGEST = 1_000
_MOST_QUOTES = 20


def page(found: Calibration) -> Page:
    agreed = found.confusion.passed_rightly + found.confusion.failed_rightly
    of = sum(found.confusion.cells)
    return Page(
        title="Calibration of the judge",
        subtitle=f"{found.promptset} v{found.version}, profile {found.profile}",
        verdict=found.verdict,
        findings=found.findings,
        figures=(
            Figure(label="answers", values=(str(found.samples),)),
            Figure(
                label="agreement (kappa)",
                values=(number(found.agreement.value) if found.agreement else "—",),
                note=f"{agreed} of {of} passed or failed as expected",
            ),
            Figure(label="known-bad passed", values=(_of(found.known_bad_passed),)),
            Figure(label="no valid scores", values=(str(sum(found.failures.values())),)),
        ),
        sections=(
            _dimensions(found),
            _confusion(found),
            *(_spans(name, found) for name in DIMENSIONS if found.dimensions[name].in_band.of),
            *_disagreements(found),
        ),
    )


def _dimensions(found: Calibration) -> Section:
    asked = {name: one for name, one in found.dimensions.items() if one.in_band.of}
    return Section(
        heading="Scores in their expected bands",
        prose=("Bias: the mean of score minus the middle of its band. Error: the mean distance.",),
        chart=rates(
            "in band", {name: {"judge": one.in_band} for name, one in asked.items()}, ["judge"]
        ),
        table=Table(
            columns=("dimension", "in band", "95 % interval", "bias", "95 % interval", "error"),
            rows=tuple(
                (
                    name,
                    _of(one.in_band),
                    f"{percent(one.in_band.low)} to {percent(one.in_band.high)}",
                    number(one.bias.value) if one.bias else unknown("fewer than two scores"),
                    _ends(one.bias),
                    number(one.error),
                )
                for name, one in asked.items()
            ),
        ),
    )


def _confusion(found: Calibration) -> Section:
    counts = found.confusion
    return Section(
        heading="Passed and failed",
        table=Table(
            columns=("", "should pass", "should fail"),
            rows=(
                ("passed by the judge", str(counts.passed_rightly), str(counts.passed_wrongly)),
                ("failed by the judge", str(counts.failed_wrongly), str(counts.failed_rightly)),
            ),
        ),
    )


def _spans(name: str, found: Calibration) -> Section:
    spans = [
        Span(
            label=one.sample.sample_id,
            low=one.sample.bands[name][0],
            high=one.sample.bands[name][1],
            score=getattr(one.outcome, name),
        )
        for one in found.judged
        if isinstance(one.outcome, Scored) and name in one.sample.bands
    ]
    return Section(heading=name.capitalize(), chart=bands(name, spans))


def _disagreements(found: Calibration) -> tuple[Section, ...]:
    wrong = [one for one in found.judged if _is_wrong(one)]
    if not wrong:
        return ()
    more = len(wrong) - _MOST_QUOTES
    return (
        Section(
            heading="Where the judge is wrong",
            prose=(f"The first {_MOST_QUOTES}; {plural(more, 'other')}.",) if more > 0 else (),
            quotes=tuple(_quote(one) for one in wrong[:_MOST_QUOTES]),
        ),
    )


def _is_wrong(one: Judged) -> bool:
    if not isinstance(one.outcome, Scored):
        return True
    return one.sample.passes is not None and one.outcome.passed is not one.sample.passes


def _quote(one: Judged) -> Quote:
    sample, outcome = one.sample, one.outcome
    said = (
        f"{'passed' if outcome.passed else 'failed'}: "
        + ", ".join(f"{name} {getattr(outcome, name):.2f}" for name in DIMENSIONS)
        + f". {outcome.reasoning}"
        if isinstance(outcome, Scored)
        else f"{outcome.code}: {outcome.message}"
    )
    return Quote(
        label=sample.sample_id,
        parts=(
            ("question", clipped(sample.question, _LONGEST)),
            ("answer", clipped(sample.answer, _LONGEST)),
            ("expected", "to pass" if sample.passes else "to fail"),
            ("the judge", clipped(said, _LONGEST)),
        ),
    )


def _of(rate: Rate) -> str:
    return f"{rate.count} of {rate.of}"


def _ends(interval: Interval | None) -> str | Cell:
    if interval is None:
        return unknown("fewer than two scores")
    return f"{number(interval.low)} to {number(interval.high)}"
