"""What judging found, as tables of at most a hundred columns."""

from rich.table import Table
from rich.text import Text

from harness.judge.calibration import Calibration
from harness.judge.judging import ArmScores
from harness.judge.preferences import PairwiseFigures, WinRate
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
        ends = f"{level.low:.1%} to {level.high:.1%}"
        table.add_row("at equal lengths", "", "", "", f"{level.value:.1%}", ends)
    return table


def position(found: PairwiseFigures) -> str:
    bias = found.position
    return (
        f"Position: {bias.flips.value:.1%} [{bias.flips.low:.1%}, {bias.flips.high:.1%}] of the "
        f"pairs were decided by place, {bias.first} for the first and {bias.second} for the second "
        f"(p = {bias.p_value:.3g})."
    )


def calibration(found: Calibration) -> Table:
    table = Table("dimension", "in band", "95 % interval", "bias", "error", title_justify="left")
    for name, one in found.dimensions.items():
        if one.in_band.of:
            bias = "" if one.bias is None else f"{one.bias.value:+.2f}"
            share = f"{one.in_band.count} of {one.in_band.of}"
            ends = f"{one.in_band.low:.1%} to {one.in_band.high:.1%}"
            table.add_row(name, share, ends, bias, f"{one.error:.2f}")
    return table


def _rate(rate: Rate) -> tuple[str, str, str]:
    ends = f"{rate.low:.1%} to {rate.high:.1%}"
    return f"{rate.count} of {rate.of}", f"{rate.value:.1%}", ends


def _wins(rate: WinRate) -> tuple[str, ...]:
    ends = f"{rate.low:.1%} to {rate.high:.1%}"
    return str(rate.wins), str(rate.ties), str(rate.losses), f"{rate.value:.1%}", ends
