"""How answers are read before anything is compared.

Normalised text: Unicode NFKC (a full-width 4 is `4`), invisible characters removed, typographic
quotes and minus signs made plain, case folded, every run of white space one space, none at the
ends.
"""

import re
import unicodedata
from functools import cached_property, lru_cache
from typing import Final

import msgspec

LONGEST_ANSWER: Final = 50_000
"""Characters. What comes after is not looked at."""
_PLAIN: Final = str.maketrans("‘’‚“”„‐‑−–", "'''\"\"\"----")  # noqa: RUF001  (that is the point)
_AROUND: Final = " \t\n.,;:!?\"'`*_"
_NUMBER: Final = re.compile(
    r"(?<!\w)(?<!\d[.,])(?:(?<!\))-)?[$€£]?((?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)",
    re.ASCII,
)
_FENCE: Final = "```"
_WORD: Final = re.compile(r"\w+")
_LEADING: Final = re.compile(r"\A[\s.,;:!?\"'`*_)>]+")
_TELLING: Final = 3
"""A question of fewer words may well begin its own answer: "Hello" is answered with "Hello!"."""


def normalised(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    if not plain.isascii():
        plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    return " ".join(plain.casefold().split())


def bare(text: str) -> str:
    """Normalised, without the punctuation, quotes and emphasis around it."""
    return normalised(text).strip(_AROUND)


class Answer:
    """One answer in the forms that checks ask for, each made once."""

    def __init__(self, raw: str) -> None:
        self.raw: Final = raw[:LONGEST_ANSWER]

    @cached_property
    def text(self) -> str:
        return normalised(self.raw)

    @cached_property
    def bare(self) -> str:
        return self.text.strip(_AROUND)

    @cached_property
    def words(self) -> int:
        return len(self.text.split())

    @cached_property
    def number(self) -> float | None:
        """The last number: `1,234.5`, `-3`, `$12`, `40%`; digits within a word (`H2O`) are none."""
        found = list(_NUMBER.finditer(self.text))
        if not found:
            return None
        last = found[-1]
        value = float(last[1].replace(",", ""))
        return -value if last[0].startswith("-") else value

    @cached_property
    def document(self) -> object:
        """The whole answer as JSON, out of its code fence if it is in one.

        Raises ValueError where it is none.
        """
        text = self.raw.strip()
        if text.startswith(_FENCE) and text.endswith(_FENCE) and "\n" in text:
            text = text.partition("\n")[2].removesuffix(_FENCE)
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            raise ValueError(str(error)) from None


@lru_cache(maxsize=8192)
def term(words: str) -> re.Pattern[str]:
    """Finds whole words in normalised text: no `4` in `40`, `4.5`, `-4`; no `Paris` in `Parish`."""
    found = normalised(words)
    before = after = ""
    if found[:1].isalnum():
        before = r"(?<!\w)"
    if found[:1].isdigit():
        before += r"(?<!\d[.,])(?<![^\w)]-)(?<!^-)"
    if found[-1:].isalnum():
        after = r"(?!\w)"
    if found[-1:].isdigit():
        after += r"(?![.,]\d)"
    return re.compile(before + re.escape(found) + after)


def after_echo(question: str, answer: str) -> str:
    """What an answer says after it repeated the question, maybe more than once.

    "What is 2+2? 4" says "4"; an answer that is nothing but the question says nothing.
    """
    asked = [word.casefold() for word in _WORD.findall(question)]
    rest = answer
    while asked and (end := _repeated(asked, rest)):
        rest = _LEADING.sub("", rest[end:])
    return rest


def _repeated(asked: list[str], text: str) -> int:
    """Where the words of the question end that `text` begins with; 0 where it begins otherwise."""
    said = _WORD.finditer(text)
    last = 0
    for word in asked:
        match = next(said, None)
        if match is None or match[0].casefold() != word:
            return 0
        last = match.end()
    if len(asked) < _TELLING and next(said, None) is not None:
        return 0
    return last
