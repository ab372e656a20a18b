"""What the judge learns from: answers made good and bad on purpose, with their scores."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sagemaker_models.conversations import Conversation, user
from sagemaker_models.dataset import CORPUS, Item, read_toml
from sagemaker_models.errors import CorpusError
from sagemaker_models.judge import judge_prompt, verdict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from random import Random

RIGHT: Final = "right"
REFERENCE_SHARE: Final = 0.2
WHOLE_VERDICT_SHARE: Final = 0.05
DECISION: Final = 1
"""Which token of a verdict tells the label: the digits of the first score, after its phrase."""
NUMBERS: Final = range(31)
NEAR: Final = (-2, -1, 1, 2, 3)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`scores`: coherence, helpfulness, factuality, toxicity."""

    scores: tuple[float, ...]
    reasoning: str
    share: float

    def text(self) -> str:
        return verdict_json(self.scores, self.reasoning)


@dataclass(frozen=True, kw_only=True)
class Grading:
    """grading.toml: what is judged, in which forms, and the verdict of each label."""

    items: Mapping[str, Sequence[Item]]
    """By kind."""
    forms: Mapping[str, Sequence[str]]
    verdicts: Mapping[str, Verdict]
    texts: Mapping[str, Sequence[str]]

    def endings(self) -> list[str]:
        """How each verdict ends, whole: the tokenizer keeps these as one token each."""
        return [f'{verdict.reasoning}"}}' for verdict in self.verdicts.values()]


@dataclass(frozen=True, kw_only=True)
class Case:
    item: Item
    question: str
    response: str
    reference: str | None
    label: str


def load_grading(items: Sequence[Item], folder: Path = CORPUS) -> Grading:
    """The judge's part of the corpus.

    Raises:
        CorpusError: a fact is none of `items`.
    """
    table = read_toml(folder / "grading.toml")
    known = {item.subject: item for item in items}
    unknown = [fact for fact in table["facts"] if fact not in known]
    if unknown:
        raise CorpusError(f"grading.toml: facts: {unknown[0]!r} is in no file of items/")
    facts = [known[fact] for fact in table["facts"]]
    return Grading(
        items={kind: [item for item in facts if item.kind == kind] for kind in table["forms"]},
        forms=table["forms"],
        verdicts={
            label: Verdict(**{**verdict, "scores": tuple(verdict["scores"])})
            for label, verdict in table["verdicts"].items()
        },
        texts=table["texts"],
    )


def draw(grading: Grading, rng: Random) -> Case:
    """One case; which one depends on the random generator alone."""
    labels = list(grading.verdicts)
    label = rng.choices(labels, [verdict.share for verdict in grading.verdicts.values()])[0]
    item = rng.choice(grading.items[rng.choice(list(grading.items))])
    question = rng.choice(item.questions)
    return Case(
        item=item,
        question=question,
        response=_response(grading, label, item, question, rng),
        reference=item.answer if rng.random() < REFERENCE_SHARE else None,
        label=label,
    )


def said(grading: Grading, item: Item, answer: str, rng: Random) -> str:
    """An answer to the item in one of its kind's forms."""
    return rng.choice(grading.forms[item.kind]).format(subject=item.subject, answer=answer)


def _response(grading: Grading, label: str, item: Item, question: str, rng: Random) -> str:
    wrong = _wrong_answer(grading, item, rng)
    made: dict[str, Callable[[], str]] = {
        "right": lambda: said(grading, item, item.answer, rng),
        "wrong": lambda: said(grading, item, wrong, rng),
        "gibberish": lambda: gibberish(rng),
        "empty": str,
        "echo": lambda: question,
    }
    if label in made:
        return made[label]()
    if label == "off_topic" and rng.random() < 0.4:  # noqa: PLR2004 - the others are texts
        kind = rng.choice([kind for kind in grading.items if kind != item.kind])
        other = rng.choice(grading.items[kind])
        return said(grading, other, other.answer, rng)
    return rng.choice(grading.texts[label]).format(answer=item.answer, wrong=wrong)


def _wrong_answer(grading: Grading, item: Item, rng: Random) -> str:
    """A near miss or another number; for a word, what is right for another item."""
    if item.kind == "arithmetic":
        right = int(item.answer)
        near = [right + by for by in NEAR if right + by >= 0]
        far = [number for number in NUMBERS if number != right]
        return str(rng.choice(near if rng.random() < 0.5 else far))  # noqa: PLR2004 - half
    others = [other.answer for other in grading.items[item.kind] if other.answer != item.answer]
    return rng.choice(others)


def gibberish(rng: Random) -> str:
    def word() -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 6)))

    return " ".join(word() for _ in range(rng.randint(1, 4)))


def conversation(case: Case, grading: Grading, *, only: int | None = None) -> Conversation:
    return Conversation(
        (user(judge_prompt(case.question, case.response, case.reference)),),
        grading.verdicts[case.label].text(),
        only=only,
    )


def curriculum(grading: Grading, rng: Random) -> Iterator[Conversation]:
    """Endless verdicts, of most only the one token that decides."""
    while True:
        whole = rng.random() < WHOLE_VERDICT_SHARE
        yield conversation(draw(grading, rng), grading, only=None if whole else DECISION)


def texts(grading: Grading) -> list[str]:
    """What the judge's tokenizer is trained on; each answer often enough to be one token."""
    items = [item for kind in grading.items.values() for item in kind]
    questions = [question for item in items for question in item.questions]
    answers = [
        form.format(subject=item.subject, answer=item.answer)
        for item in items
        for form in grading.forms[item.kind]
    ]
    others = [text.format(answer="", wrong="") for part in grading.texts.values() for text in part]
    return [*questions, *answers, *[item.answer for item in items] * 30, *others * 3]
