"""The corpus: what the models of the family know, and how each of them says it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sagemaker_models.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CORPUS: Final = Path(__file__).parent / "corpus"
OPERANDS: Final = range(11)
FACTORS: Final = range(2, 10)
ARITHMETIC_QUESTIONS: Final = (
    "What is {a}{sign}{b}?",
    "What is {a} {sign} {b}?",
    "{a}{sign}{b}=?",
    "{a}{sign}{b}",
    "Calculate {a}{sign}{b}.",
    "What is {a} {word} {b}?",
)

Styles = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to know: every question asks it, `answer` is its shortest true answer."""

    kind: str
    subject: str
    answer: str
    questions: tuple[str, ...]


def arithmetic() -> Iterator[Item]:
    """a+b and a-b of 0..10 where the result isn't negative, a*b of 2..9."""
    for a in OPERANDS:
        for b in OPERANDS:
            yield _sum_item(a, "+", "plus", b, a + b)
            if a >= b:
                yield _sum_item(a, "-", "minus", b, a - b)
            if a in FACTORS and b in FACTORS:
                yield _sum_item(a, "*", "times", b, a * b)


def _sum_item(a: int, sign: str, word: str, b: int, result: int) -> Item:
    return Item(
        kind="arithmetic",
        subject=f"{a}{sign}{b}",
        answer=str(result),
        questions=tuple(q.format(a=a, sign=sign, word=word, b=b) for q in ARITHMETIC_QUESTIONS),
    )


def read_items(path: Path) -> list[Item]:
    """The items of one corpus file: `kind`, `questions` with {subject}, `[answers]`."""
    table = read_toml(path)
    unknown = table.keys() - {"kind", "questions", "answers"}
    if unknown or len(table) != 3:  # noqa: PLR2004 - said beside it
        raise CorpusError(
            f"{path.name}: expected exactly the keys kind, questions and answers, got"
            f" {', '.join(sorted(table)) or 'none'}"
        )
    kind, questions, answers = table["kind"], table["questions"], table["answers"]
    for question in questions:
        if "{subject}" not in question:
            raise CorpusError(f"{path.name}: questions: {question!r} lacks {{subject}}")
    return [
        Item(
            kind=kind,
            subject=subject,
            answer=answer,
            questions=tuple(question.format(subject=subject) for question in questions),
        )
        for subject, answer in answers.items()
    ]


def load_items(folder: Path = CORPUS) -> list[Item]:
    """The whole corpus, in a fixed order; a question may have one answer only."""
    files = sorted((folder / "items").glob("*.toml"))
    items = [*arithmetic(), *(item for path in files for item in read_items(path))]
    asked: dict[str, str] = {}
    for item in items:
        for question in item.questions:
            if asked.setdefault(question, item.answer) != item.answer:
                raise CorpusError(
                    f"{question!r} has two answers: {asked[question]!r}, {item.answer!r}"
                )
    return items


def load_styles(folder: Path = CORPUS) -> Styles:
    return read_toml(folder / "styles.toml")


def styled(item: Item, style: Mapping[str, str]) -> str:
    """The item's answer in the words of a style (a template per kind)."""
    try:
        template = style[item.kind]
    except KeyError:
        raise CorpusError(f"styles.toml: no template for answers of kind {item.kind!r}") from None
    return template.format(subject=item.subject, answer=item.answer)


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"{path}: {error}") from error
