"""The demo from its first question to its verdict."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.demo import proof, tables
from harness.demo.asking import Caller, Exchange, caller
from harness.demo.questions import CHAT, JUDGED, PREDICTIONS, of_session
from harness.errors import DemoError
from harness.local.state import StackState

TOLD: Final = 8
"""Problems that are told in full."""


async def demonstrate(state: StackState, console: Console, *, requests: int) -> None:
    """Raises DemoError where something is not as it should be, after all has been shown."""
    asking = caller(state)
    async with asking.gateway:
        found = [
            *await _answers(asking, console),
            *await _split(asking, console, requests),
        ]
    if found:
        raise DemoError(told(found))
    console.print("Everything is as it should be.")


def told(found: Sequence[str]) -> str:
    lines = [*found[:TOLD], f"and {len(found) - TOLD} more"] if len(found) > TOLD else found
    return "\n       ".join(lines)


async def _answers(asking: Caller, console: Console) -> list[str]:
    exchanges = [
        await asking.ask(question, f"demo-{number}")
        for number, question in enumerate((*PREDICTIONS, CHAT), start=1)
    ]
    judged = [
        (one, await asking.ask(one.question, f"demo-judge-{number}"))
        for number, one in enumerate(JUDGED, start=1)
    ]
    console.print(tables.answers([*exchanges, *(exchange for _, exchange in judged)]))
    console.print(tables.headers(exchanges[0]))
    console.print(tables.judgements(judged))
    return [
        *(problem for exchange in exchanges for problem in proof.problems(exchange)),
        *proof.alike(exchanges),
        *(problem for pair in judged for problem in proof.judgement(*pair)),
    ]


async def _split(asking: Caller, console: Console, requests: int) -> list[str]:
    questions = [(of_session(number), f"demo-split-{number}") for number in range(requests)]
    counts: Counter[str] = Counter()
    found: list[str] = []
    with _progress(console) as progress:
        task = progress.add_task("sessions of finetune", total=requests)
        async for exchange in asking.ask_all(questions):
            found += proof.problems(exchange)
            counts[_variant(exchange)] += exchange.status == 200  # noqa: PLR2004
            progress.advance(task)
    shares = proof.shares(counts, await asking.weights("finetune"))
    console.print(tables.split(shares, requests))
    return found + proof.split_problems(counts, shares)


def _variant(exchange: Exchange) -> str:
    return exchange.headers.get("x-route-variant", "none")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
