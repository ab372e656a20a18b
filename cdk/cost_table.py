"""The bill as a table."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from cdk.costs import SITUATIONS, Line, Total, totals
from cdk.prices import PriceList


def cost_table(stage: str, lines: Sequence[Line], prices: PriceList) -> Table:
    table = Table(
        title=f"{stage}: US dollars an hour in {prices.region}; ~ is an estimate",
        title_justify="left",
        caption=_caption(lines, prices),
        caption_justify="left",
        show_footer=False,
    )
    table.add_column("what")
    table.add_column("one", justify="right")
    for situation in SITUATIONS:
        table.add_column("number", justify="right")
        table.add_column(situation, justify="right")
    table.add_column("source")
    for line in lines:
        table.add_row(*_row(line))
    table.add_section()
    summed = totals(lines)
    table.add_row("an hour", "", *_sums(summed.values(), monthly=False), "", style="bold")
    table.add_row("a month", "", *_sums(summed.values(), monthly=True), "", style="bold")
    table.add_row("of it ~ an hour", "", *_estimated(summed.values()), "")
    return table


def _row(line: Line) -> list[str]:
    price = line.price
    one = f"{'~' if price.estimate else ''}{price.usd:.4f}" if price else "unknown"
    cells = [line.name, one]
    for amount, hourly in zip(line.amounts, line.hourly, strict=True):
        cells.append(f"{amount:g}" if amount else "")
        cells.append("unknown" if hourly is None else f"{hourly:.3f}" if amount else "")
    return [*cells, price.source if price else ""]


def _sums(summed: Iterable[Total], *, monthly: bool) -> list[str]:
    cells: list[str] = []
    for total in summed:
        usd = f"{total.monthly:,.0f}" if monthly else f"{total.hourly:.3f}"
        cells += ["", f"over {usd}" if total.unknown else usd]
    return cells


def _estimated(summed: Iterable[Total]) -> list[str]:
    """The share stands in the narrow column before the sum that it is of."""
    cells: list[str] = []
    for total in summed:
        cells += [f"{total.estimated_share:.0%}", f"{total.estimated:.3f}"]
    return cells


def _caption(lines: Sequence[Line], prices: PriceList) -> str:
    used = dict.fromkeys(line.price.source for line in lines if line.price)
    sources = [
        f"{name}: {prices.sources[name].about} (read {prices.sources[name].read}, "
        f"{prices.sources[name].url})"
        for name in used
    ]
    return "\n".join(
        [
            "Paused: the cluster stays, and no node. Idle: the fewest replicas, and no traffic.",
            "At most: all that scaling may start, on the dearest instance type. On top comes what",
            "is billed by use: requests, traffic, logs, stored bytes, a balancer's LCUs.",
            *sources,
        ]
    )
