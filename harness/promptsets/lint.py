"""Is a promptset fit to say whether a model is right?

What a lazy or broken model would say (nothing, the question, another question's answer, an excuse)
must fail a row's checks, and a right answer must pass them. Checks are tried here without the rules
that `harness.checks.grade` adds for empty answers and echoes: they must hold by themselves.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.checks.grading import failed
from harness.checks.text import Answer
from harness.errors import PromptsetError
from harness.promptsets import manifest as manifests
from harness.promptsets.conflicts import Answers, asked, echo_passes
from harness.promptsets.manifest import Manifest, counts, digest
from harness.promptsets.rows import Row
from harness.promptsets.store import read_manifest, read_row

Count = Callable[[Row], int]
EXCUSES: Final = (
    "I am not sure.",
    "I don't know the answer to that question.",
    "As an AI language model, I cannot answer that.",
    "It depends on many different factors, so there is no simple answer.",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "The the the the the the the the the the the the the the the the",
    "{}",
    "[]",
    "null",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`where`: file, and line where it is one row's."""

    where: str
    what: str
    remedy: str
    prompt_id: str = ""

    def __str__(self) -> str:
        of = f" {self.prompt_id}:" if self.prompt_id else ""
        return f"{self.where}:{of} {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and the line it stands on."""

    row: Row
    where: str

    def fault(self, what: str, remedy: str) -> Fault:
        return Fault(where=self.where, prompt_id=self.row.prompt_id, what=what, remedy=remedy)


def lint(folders: Iterable[Path], count: Count | None = None) -> list[Fault]:
    """Every fault of these sets, and prompts that leak from a split into another's.

    `count`: tokens of a row's prompt; without it only the manifest's own figures are judged.
    """
    faults: list[Fault] = []
    everything: list[Placed] = []
    for folder in folders:
        placed = list(_placed(folder, faults))
        faults += _of_set(folder, placed, count)
        everything += placed
    return faults + list(_leaks(everything))


def _of_set(folder: Path, placed: list[Placed], count: Count | None) -> Iterator[Fault]:
    manifest = None
    try:
        path = folder / manifests.FILE
        manifest = read_manifest(path.read_bytes(), str(path))
        yield from _of_manifest(manifest, path, placed)
    except PromptsetError as error:
        yield Fault(where=str(folder), what=str(error), remedy="generate the set again")
    except OSError as error:
        yield Fault(where=str(error.filename), what=str(error.strerror), remedy="generate the set")
    yield from _repeated(placed)
    for one in placed:
        yield from _of_row(one)
        if manifest and count and one.row.turns:
            yield from _over_long(one, count(one.row), manifest.context)
    yield from _mistakable(placed)


def _placed(folder: Path, faults: list[Fault]) -> Iterator[Placed]:
    path = folder / manifests.ROWS
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        faults.append(Fault(where=str(path), what=str(error.strerror), remedy="generate the set"))
        return
    for number, line in enumerate(lines, start=1):
        where = f"{path}:{number}"
        try:
            yield Placed(read_row(line, where), where)
        except PromptsetError as error:
            what = str(error).removeprefix(f"{where}: ")
            faults.append(Fault(where=where, what=what, remedy="write the row as `Row` has it"))


def _of_manifest(manifest: Manifest, path: Path, placed: list[Placed]) -> Iterator[Fault]:
    rows = [one.row for one in placed]
    found = {
        "name": (manifest.name, path.parent.name),
        "count": (manifest.count, len(rows)),
        "sha256": (manifest.sha256, digest((path.parent / manifests.ROWS).read_bytes())),
        "categories": (manifest.categories, counts(row.category for row in rows)),
        "buckets": (manifest.buckets, counts(row.bucket for row in rows)),
        "splits": (manifest.splits, counts(row.split for row in rows)),
    }
    for name, (said, is_) in found.items():
        if said != is_:
            yield Fault(
                where=str(path),
                what=f"{name} is {said}, found {is_}",
                remedy="generate the set again",
            )
    if any(row.turns for row in rows):
        if manifest.tokens is None:
            yield Fault(
                where=str(path),
                what="tokens were not measured",
                remedy="generate the set with the tokenizer of the model that is served",
            )
        elif manifest.tokens.max_with_answer > manifest.context:
            yield Fault(
                where=str(path),
                what=f"a row needs {manifest.tokens.max_with_answer} tokens,"
                f" {manifest.context} fit",
                remedy="shorten the longest prompt or its max_tokens",
            )


def _over_long(one: Placed, tokens: int, context: int) -> Iterator[Fault]:
    if tokens + one.row.max_tokens > context:
        yield one.fault(
            f"{tokens} tokens of prompt and {one.row.max_tokens} of answer, {context} fit",
            "shorten the prompt or its max_tokens",
        )


def _repeated(placed: list[Placed]) -> Iterator[Fault]:
    ids: dict[str, Placed] = {}
    texts: dict[str, Placed] = {}
    for one in placed:
        first = ids.setdefault(one.row.prompt_id, one)
        if first is not one:
            yield one.fault(f"the prompt_id is also at {first.where}", "give it one of its own")
        if not one.row.turns:
            continue
        same = texts.setdefault(asked(one.row), one)
        if same is not one:
            yield one.fault(
                f"asks the same as {same.row.prompt_id} ({same.where})", "remove one of them"
            )


def _of_row(one: Placed) -> Iterator[Fault]:
    row = one.row
    for check in row.checks:
        for what in check.faults():
            yield one.fault(f"{check.__struct_config__.tag}: {what}", "correct the check")
    if row.request is not None or row.candidate is not None:
        return
    if not row.checks:
        yield one.fault("has no checks", "say what a right answer holds")
        return
    if row.reference is None:
        yield one.fault("has no reference", "add a right answer that passes the checks")
    elif why := failed(row.checks, Answer(row.reference)):
        yield one.fault(
            f"its reference fails its own checks ({'; '.join(why)})", "correct one of them"
        )
    yield from _too_easy(one)


def _too_easy(one: Placed) -> Iterator[Fault]:
    row = one.row
    if not failed(row.checks, Answer("")):
        yield one.fault("an empty answer passes", "ask for something that must be in the answer")
    if echo_passes(row):
        yield one.fault(
            "an echo of the prompt passes",
            "ask for what is not in the prompt, or bound the answer (max_words, exact, JSON)",
        )
    for excuse in EXCUSES:
        if not failed(row.checks, Answer(excuse)):
            yield one.fault(f"{excuse!r} passes", "ask for what only a right answer holds")


def _mistakable(placed: list[Placed]) -> Iterator[Fault]:
    answers = Answers()
    for one in placed:
        answers.add(one.row)
    for one in placed:
        if other := answers.passing(one.row):
            yield one.fault(
                f"the reference of {other.prompt_id} passes its checks: {other.reference!r}",
                "make the checks narrower, or ask for something else",
            )


def _leaks(placed: list[Placed]) -> Iterator[Fault]:
    """The same question in two splits: what is trained on would be measured with."""
    first: dict[str, Placed] = {}
    for one in placed:
        if not one.row.turns:
            continue
        text = asked(one.row).partition("\n> ")[0]
        other = first.setdefault(text, one)
        if other.row.split != one.row.split:
            yield one.fault(
                f"is in the split {one.row.split}, and in {other.row.split} as"
                f" {other.row.prompt_id} ({other.where})",
                "keep it in one split",
            )
