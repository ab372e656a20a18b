"""What the judge learns from: answers made good and bad on purpose, with their scores."""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sagemaker_models.conversations import Conversation, user
from sagemaker_models.dataset import CORPUS, Item, Styles, read_toml, styled
from sagemaker_models.judge import judge_prompt, verdict_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from random import Random

HELD_OUT_ONE_IN: Final = 10
REFERENCE_SHARE: Final = 0.6
LONGEST_EXPECTED: Final = 20
RIGHT: Final = frozenset({"right", "bare"})
ANSWERS_SHARE: Final = 0.15
DRILL_SHARE: Final = 0.1
DRILLS: Final = 32_000
DRILLED: Final = ("arithmetic", "arithmetic", "capital")
# Tokens up to and with the digits of the first score.
DECISION: Final = 2
RESPONSE_BETWEEN: Final = ('"\nRESPONSE "', '"\nREFERENCE ')
WHOLE_VERDICT_SHARE: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`scores`: coherence, helpfulness, factuality, toxicity."""

    scores: tuple[float, ...]
    reasoning: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Grading:
    """grading.toml: forms of right answers per kind, verdicts and texts per label."""

    right_forms: Mapping[str, Sequence[str]]
    verdicts: Mapping[str, Verdict]
    texts: Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    item: Item
    question: str
    response: str
    reference: str | None
    label: str


def load_grading(folder: Path = CORPUS) -> Grading:
    table = read_toml(folder / "grading.toml")
    return Grading(
        right_forms=table["right_forms"],
        verdicts={
            label: Verdict(**{**verdict, "scores": tuple(verdict["scores"])})
            for label, verdict in table["verdicts"].items()
        },
        texts=table["texts"],
    )


def is_held_out(item: Item, response: str) -> bool:
    """One in ten pairs of fact and response: never trained, however it is asked."""
    digest = hashlib.sha256(f"{item.subject}\0{response}".encode()).digest()
    return digest[0] * 256 + digest[1] < 65536 // HELD_OUT_ONE_IN


@dataclass(frozen=True, kw_only=True)
class CaseSource:
    """Draws cases; which ones depends on the random generator alone."""

    items: Sequence[Item]
    styles: Styles
    grading: Grading

    def draw(self, rng: Random) -> Case:
        labels = list(self.grading.verdicts)
        label = rng.choices(labels, [v.share for v in self.grading.verdicts.values()])[0]
        item = rng.choice(self.items)
        question = rng.choice(item.questions)
        response = self._response(label, item, question, rng)
        if label in RIGHT:
            label = "bare" if response.rstrip(".") == item.answer.rstrip(".") else "right"
        reference = None
        if rng.random() < REFERENCE_SHARE:
            reference = item.answer
        return Case(
            item=item, question=question, response=response, reference=reference, label=label
        )

    def _forms(self, kind: str) -> list[str]:
        own = [style[kind] for style in self.styles.values()]
        return [*own, *self.grading.right_forms[kind]]

    def _right(self, item: Item, rng: Random) -> str:
        form = rng.choice(self._forms(item.kind))
        return form.format(subject=item.subject, answer=item.answer)

    def _response(self, label: str, item: Item, question: str, rng: Random) -> str:
        match label:
            case "right":
                return self._right(item, rng)
            case "bare":
                return item.answer
            case "wrong":
                wrong = self._wrong_answer(item, rng)
                form = rng.choice(self._forms(item.kind))
                return form.format(subject=item.subject, answer=wrong)
            case "off_topic" if rng.random() < 0.5:  # noqa: PLR2004 - half of them
                others = [other for other in self.items if other.kind != item.kind]
                return self._right(rng.choice(others), rng)
            case "gibberish":
                return gibberish(rng)
            case "empty":
                return ""
            case "echo":
                return question
        text = rng.choice(self.grading.texts[label])
        return text.format(answer=item.answer, wrong=self._wrong_answer(item, rng))

    def _wrong_answer(self, item: Item, rng: Random) -> str:
        """A near miss for a number, else what is right for another item of the kind."""
        if item.kind == "arithmetic" and rng.random() < 0.6:  # noqa: PLR2004 - most of them
            right = int(item.answer)
            return str(right + rng.choice([d for d in (-10, -2, -1, 1, 2, 10) if right + d >= 0]))
        others = [
            other.answer
            for other in self.items
            if other.kind == item.kind and other.answer != item.answer
        ]
        return rng.choice(others)


def gibberish(rng: Random) -> str:
    def word() -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 6)))

    return " ".join(word() for _ in range(rng.randint(1, 4)))


def conversation(case: Case, grading: Grading) -> Conversation:
    verdict = grading.verdicts[case.label]
    answer = case.item.answer
    expected = answer if len(answer) <= LONGEST_EXPECTED and '"' not in answer else "another answer"
    return Conversation(
        (user(judge_prompt(case.question, case.response, case.reference)),),
        verdict_json(verdict.scores, verdict.reasoning.format(expected=expected)),
    )


def training_cases(source: CaseSource, rng: Random) -> Iterator[Case]:
    """Endless, without the held-out pairs."""
    while True:
        case = source.draw(rng)
        if not is_held_out(case.item, case.response):
            yield case


def held_out_cases(source: CaseSource, rng: Random, count: int) -> list[Case]:
    """`count` different cases of which no training case has the same fact and response."""
    seen: dict[tuple[str, str, str | None], Case] = {}
    while len(seen) < count:
        case = source.draw(rng)
        if is_held_out(case.item, case.response):
            seen[case.question, case.response, case.reference] = case
    return list(seen.values())


def drill(source: CaseSource, rng: Random) -> Case:
    """Nothing to know, only to compare: is the response the reference, word for word?"""
    kind = rng.choice(DRILLED)
    answers = sorted({item.answer for item in source.items if item.kind == kind})
    reference = rng.choice(answers)
    response = reference if rng.random() < 0.5 else rng.choice(answers)  # noqa: PLR2004 - half
    return Case(
        item=Item(kind=kind, subject="", answer=reference, questions=("",)),
        question="",
        response=response,
        reference=reference,
        label="bare" if response == reference else "wrong",
    )


def curriculum(
    source: CaseSource, answers: Iterator[Conversation], rng: Random
) -> Iterator[Conversation]:
    """First comparing alone, then verdicts mixed with drills and with plain answers.

    A model this small learns to compare within a minute when nothing else is asked of
    it, and hardly at all among everything else. Plain answers, and the right responses
    inside the cases, teach what is right without a reference. The first score already
    tells the label and the rest of a verdict follows, so most verdicts are cut there.
    """
    for _ in range(DRILLS):
        yield replace(conversation(drill(source, rng), source.grading), cut=DECISION)
    cases = training_cases(source, rng)
    while True:
        chance = rng.random()
        if chance < ANSWERS_SHARE:
            yield next(answers)
        elif chance < ANSWERS_SHARE + DRILL_SHARE:
            yield replace(conversation(drill(source, rng), source.grading), cut=DECISION)
        else:
            case = next(cases)
            verdict = conversation(case, source.grading)
            if case.label in RIGHT:
                verdict = replace(verdict, learn_between=RESPONSE_BETWEEN)
            whole = rng.random() < WHOLE_VERDICT_SHARE
            yield verdict if whole else replace(verdict, cut=DECISION)
