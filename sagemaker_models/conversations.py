"""Training conversations: the corpus as people would ask it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sagemaker_models.dataset import Item, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

Message = dict[str, str]

SYSTEM_TURNS: Final = ("You are a helpful assistant.", "Answer briefly.", "Be concise.")
SYSTEM_SHARE: Final = 0.08
HISTORY_SHARE: Final = 0.08


@dataclass(frozen=True)
class Conversation:
    """Turns that end with the user's, and the answer to learn.

    `only`: this one token of the answer, where the rest follows from it.
    """

    messages: tuple[Message, ...]
    answer: str
    only: int | None = None


def user(content: str) -> Message:
    return {"role": "user", "content": content}


def single(item: Item, question: str, style: Mapping[str, str]) -> Conversation:
    return Conversation((user(question),), styled(item, style))


def every_question(items: Sequence[Item], style: Mapping[str, str]) -> list[Conversation]:
    """Each question of each item once, as a conversation of one turn."""
    return [single(item, question, style) for item in items for question in item.questions]


def shuffled_epochs(
    items: Sequence[Item], style: Mapping[str, str], rng: Random
) -> Iterator[Conversation]:
    """Endless: each item once per epoch, asked in one of its ways.

    A share of the conversations has a system turn or an earlier exchange, so
    that the answer hangs on the last question alone.
    """
    while True:
        for item in rng.sample(items, len(items)):
            question = user(rng.choice(item.questions))
            before: tuple[Message, ...] = ()
            chance = rng.random()
            if chance < SYSTEM_SHARE:
                before = ({"role": "system", "content": rng.choice(SYSTEM_TURNS)},)
            elif chance < SYSTEM_SHARE + HISTORY_SHARE:
                earlier = rng.choice(items)
                before = (
                    user(rng.choice(earlier.questions)),
                    {"role": "assistant", "content": styled(earlier, style)},
                )
            yield Conversation((*before, question), styled(item, style))
