"""Two answers to the same question, judged in both orders: who disagrees with himself says tie.

A judge that likes what it reads first wins one order for each side, and so nothing.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

import httpx
import msgspec

from harness.judge import prompting
from harness.judge.pool import each
from harness.judge.prompting import Choice
from harness.judge.scoring import AT_ONCE, Failed, refused_none
from harness.stage import Stage, reached

PATH: Final = "/v1/chat/completions"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What two sides answered to one question."""

    pair_id: str
    question: str
    left: str
    right: str
    category: str = ""


class Outcome(StrEnum):
    """For the left side."""

    WIN = "win"
    TIE = "tie"
    LOSS = "loss"


_LEFT_FIRST: Final = {Choice.A: Outcome.WIN, Choice.B: Outcome.LOSS, Choice.TIE: Outcome.TIE}
_RIGHT_FIRST: Final = {Choice.A: Outcome.LOSS, Choice.B: Outcome.WIN, Choice.TIE: Outcome.TIE}


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a pair. None: the judge gave no valid reply."""

    pair_id: str
    category: str = ""
    left_first: Choice | None = None
    right_first: Choice | None = None
    left_length: int = 0
    right_length: int = 0
    """Characters."""
    failure: str = ""

    @property
    def outcome(self) -> Outcome | None:
        """What both orders agree on, else a tie; None where one of them is missing."""
        if self.left_first is None or self.right_first is None:
            return None
        one, other = _LEFT_FIRST[self.left_first], _RIGHT_FIRST[self.right_first]
        return one if one is other else Outcome.TIE

    @property
    def flip(self) -> Choice | None:
        """The place that was preferred in both orders, whoever stood there."""
        same = self.left_first is self.right_first
        return self.left_first if same and self.left_first is not Choice.TIE else None


async def compare(
    stage: Stage,
    pairs: Iterable[Pair],
    *,
    model: str = "eval",
    at_once: int = AT_ONCE,
    told: Callable[[Preference], None] = lambda _preference: None,
) -> list[Preference]:
    """A preference a pair, in the order of the pairs.

    Raises GatewayError where the gateway is away, or refuses the caller.
    """
    asked = list(pairs)
    found: dict[str, Preference] = {}

    async def one(pair: Pair) -> None:
        found[pair.pair_id] = preference = await _prefer(gateway, stage, pair, model)
        told(preference)

    async with stage.client(at_once=at_once) as gateway:
        await reached(stage, gateway)
        await each(asked, one, at_once=at_once)
    return [found[pair.pair_id] for pair in asked]


async def _prefer(gateway: httpx.AsyncClient, stage: Stage, pair: Pair, model: str) -> Preference:
    orders = ((pair.left, pair.right), (pair.right, pair.left))
    said = [await _ask(gateway, stage, model, pair.question, *order) for order in orders]
    choices = [reply if isinstance(reply, Choice) else None for reply in said]
    failures = [reply.code for reply in said if isinstance(reply, Failed)]
    return Preference(
        pair_id=pair.pair_id,
        category=pair.category,
        left_first=choices[0],
        right_first=choices[1],
        left_length=len(pair.left),
        right_length=len(pair.right),
        failure=", ".join(dict.fromkeys(failures)),
    )


async def _ask(
    gateway: httpx.AsyncClient, stage: Stage, model: str, question: str, first: str, second: str
) -> Choice | Failed:
    try:
        response = await gateway.post(
            PATH,
            json=prompting.request(model, question, first, second),
            headers=stage.authorization(model),
        )
    except httpx.HTTPError as error:
        return Failed(code="no_answer", message=type(error).__name__)
    if response.status_code != httpx.codes.OK:
        return refused_none(Failed.of(response))
    try:
        choice = prompting.read(response.json())
    except ValueError:
        choice = None
    return choice or Failed(code="no_choice", status=response.status_code)
