"""What judging found, as tables of at most a hundred columns."""

from rich.table import Table
from rich.text import Text

from harness.judge.calibration import Calibration
from harness.judge.judging import ArmScores
from harness.judge.length import LengthControlled
from harness.judge.preferences import PairwiseFigures, WinRate
from harness.report.wording import percent
from harness.statistics.interval import Interval
from harness.summary import Rate


def scores(arm: ArmScores) -> Table:
    table = Table(
        "category", "passed", "share", "95 % interval", title=arm.arm, title_justify="left"
    )
    for name, rate in arm.by_category.items():
        table.add_row(Text(name), *_rate(rate))
    table.add_row("all", *_rate(arm.pass_rate), style="bold")
    for name, mean in arm.dimensions.items():
        if mean is not None:
            table.add_row(name, "", f"{mean.value:.2f}", f"{mean.low:.2f} to {mean.high:.2f}")
    return table


def preferences(found: PairwiseFigures) -> Table:
    table = Table(title="Left against right", title_justify="left")
    for column in ("category", "wins", "ties", "losses", "win rate", "95 % interval"):
        table.add_column(column, justify="left" if column == "category" else "right")
    for name, rate in found.by_category.items():
        table.add_row(Text(name), *_wins(rate))
    table.add_row("all", *_wins(found.overall), style="bold")
    level = found.length_controlled
    if level is not None:
        table.add_row("at equal lengths", "", "", "", percent(level.value), _ends(level))
    return table


def position(found: PairwiseFigures) -> str:
    bias = found.position
    return (
        f"Position: {percent(bias.flips.value)} ({_ends(bias.flips)}) of the pairs "
        f"were decided by place, {bias.first} for the first and {bias.second} for the second "
        f"(p = {bias.p_value:.3g})."
    )


def calibration(found: Calibration) -> Table:
    table = Table("dimension", "in band", "95 % interval", "bias", "error", title_justify="left")
    for name, one in found.dimensions.items():
        if one.in_band.of:
            bias = "" if one.bias is None else f"{one.bias.value:+.2f}"
            share = f"{one.in_band.count} of {one.in_band.of}"
            table.add_row(name, share, _ends(one.in_band), bias, f"{one.error:.2f}")
    return table


def _rate(rate: Rate) -> tuple[str, str, str]:
    return f"{rate.count} of {rate.of}", percent(rate.value), _ends(rate)


def _wins(rate: WinRate) -> tuple[str, ...]:
    counts = (str(count) for count in (rate.wins, rate.ties, rate.losses))
    return *counts, percent(rate.value), _ends(rate)


def _ends(of: Rate | WinRate | Interval | LengthControlled) -> str:
    return f"{percent(of.low)} to {percent(of.high)}"
