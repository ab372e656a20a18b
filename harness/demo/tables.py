"""What the demo found, as tables of at most a hundred columns."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.table import Table

from harness.demo.asking import Exchange
from harness.demo.proof import CONTRACT_HEADERS, Share
from harness.demo.questions import Judged

SCORES: Final = ("coherence", "helpfulness", "factuality", "toxicity")


def answers(exchanges: Iterable[Exchange]) -> Table:
    table = Table(title="Every team, and both adapters", title_justify="left")
    for column in ("team", "prompt", "answer"):
        table.add_column(column, overflow="fold")
    for column in ("variant", "target"):
        table.add_column(column, no_wrap=True)
    table.add_column("ms", justify="right")
    table.add_column("tokens", justify="right")
    table.add_column("correlation id", overflow="fold")
    for exchange in exchanges:
        header = exchange.headers.get
        pinned = "\n(pinned)" if "variant" in exchange.question.body else ""
        table.add_row(
            header("x-route-team", ""),
            _prompt(exchange),
            exchange.answer,
            header("x-route-variant", "") + pinned,
            header("x-route-target", "").replace(":", ":\n"),
            f"{float(header('x-latency-ms', '0')):.0f}",
            "" if exchange.tokens is None else str(exchange.tokens),
            exchange.correlation_id,
        )
    return table


def headers(exchange: Exchange) -> Table:
    table = Table("header", "value", title=f"POST {exchange.question.path}", title_justify="left")
    for name in (*CONTRACT_HEADERS, "X-Route-Fallback"):
        if value := exchange.headers.get(name.lower()):
            table.add_row(name, value)
    return table


def split(found: Sequence[Share], sessions: int) -> Table:
    table = Table(title=f"{sessions} sessions of finetune", title_justify="left")
    table.add_column("variant")
    for column in ("weight", "expected", "answered"):
        table.add_column(column, justify="right")
    for share in found:
        table.add_row(
            share.variant, f"{share.weight:g} %", f"{share.least}-{share.most}", str(share.count)
        )
    return table


def judgements(pairs: Iterable[tuple[Judged, Exchange]]) -> Table:
    table = Table("answer to 2+2", title="The judge", title_justify="left")
    for score in SCORES:
        table.add_column(score, justify="right")
    table.add_column("passed")
    table.add_column("reasoning", overflow="fold")
    for judged, exchange in pairs:
        table.add_row(
            judged.response,
            *(str(exchange.document.get(score, "")) for score in SCORES),
            "yes" if exchange.document.get("passed") else "no",
            str(exchange.document.get("reasoning", "")),
        )
    return table


def _prompt(exchange: Exchange) -> str:
    match exchange.question.body:
        case {"prompt": str(text), "response": str(response)}:
            return f"{text}\n(judged: {response})"
        case {"prompt": str(text)} | {"messages": [*_, {"content": str(text)}]}:
            return text
    return ""
