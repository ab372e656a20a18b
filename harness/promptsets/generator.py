"""Promptsets from scenario and domain files: the same seed makes the same bytes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from harness.errors import PromptsetError
from harness.promptsets import manifest, sources
from harness.promptsets.conflicts import Answers, asked, echo_passes
from harness.promptsets.drawing import Dice, draw_row
from harness.promptsets.folders import write
from harness.promptsets.manifest import Generator, describe
from harness.promptsets.rows import Row
from harness.promptsets.sources import SOURCES, Domain, Item, Part, Scenario
from harness.promptsets.store import Promptset
from harness.promptsets.tokens import Counter

NAME: Final = "harness.promptsets.generator"
_REDRAWS: Final = 40
"""So often is an item drawn again that another row's answer, or question, is too near to."""
GIVEN: Final = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptsetGenerator:
    """`tokenizer`: folder of the model whose tokens are counted; None: they are not counted."""

    seed: int
    tokenizer: Path | None = None
    sources: Path = SOURCES

    def generate_promptset(
        self,
        scenario_id: str,
        dataset_id: str = "",
        *,
        prompts: Sequence[Mapping[str, Any]] | None = None,
        output_dir: Path | str,
    ) -> Promptset:
        """Write `output_dir/<name>/{prompts.jsonl, manifest.json}`, whole or not at all.

        `dataset_id`: a domain to draw every row from, in place of the scenario's own. `prompts`:
        `{"text", "category", "answer"?, "checks"?, "max_tokens"?}`, all of which make the set. The
        name is the scenario's, with `-<dataset_id>` where one is given.

        Raises PromptsetError: an unknown or faulty file, or too few different rows in it.
        """
        scenario = sources.scenario(scenario_id, self.sources)
        name = "-".join(filter(None, (scenario.id, dataset_id)))
        if prompts is not None:
            made = _given(prompts, dataset_id or GIVEN)
            scenario = _only(scenario, made.id, len(made.items))
            domains = {made.id: made}
        else:
            if dataset_id:
                scenario = _only(scenario, dataset_id, sum(part.count for part in scenario.parts))
            domains = {
                part.domain: sources.domain(part.domain, self.sources) for part in scenario.parts
            }
        rows = tuple(_Drawing(self.seed, scenario, domains, name).rows())
        counter = None if self.tokenizer is None else Counter(self.tokenizer)
        described = describe(
            rows,
            name=name,
            version=scenario.version,
            description=scenario.description,
            seed=self.seed,
            generator=self._provenance(scenario, dataset_id, prompts),
            tokens=None if counter is None else counter.statistics(rows),
            context=scenario.context,
        )
        write(described, rows, Path(output_dir) / name)
        return Promptset(manifest=described, rows=rows)

    def _provenance(
        self, scenario: Scenario, dataset_id: str, prompts: Sequence[Mapping[str, Any]] | None
    ) -> Generator:
        files = [f"scenarios/{scenario.id}.toml"]
        if prompts is None:
            files += sorted({f"domains/{part.domain}.toml" for part in scenario.parts})
        return Generator(
            name=NAME,
            arguments={
                "scenario_id": scenario.id,
                "dataset_id": dataset_id,
                "prompts": None if prompts is None else len(prompts),
            },
            sources={file: manifest.digest((self.sources / file).read_bytes()) for file in files},
        )


@dataclass(slots=True)
class _Drawing:
    seed: int
    scenario: Scenario
    domains: Mapping[str, Domain]
    name: str
    answers: Answers = field(default_factory=Answers)
    seen: set[str] = field(default_factory=set)
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Why an item's last draw was not taken."""
    drawn: int = 0

    def rows(self) -> Iterator[Row]:
        for number, part in enumerate(self.scenario.parts, start=1):
            yield from self._part(number, part)

    def _part(self, number: int, part: Part) -> Iterator[Row]:
        """Items take turns, so that a set has as many kinds of question as there are."""
        dice = Dice(self.seed, f"{self.scenario.id}/{number}")
        open_items = dice.shuffled(_chosen(part, self.domains[part.domain]))
        left = part.count
        while left and open_items:
            for item in list(open_items):
                row = self._next(item, part, dice)
                if row is None:
                    open_items.remove(item)
                    continue
                yield row
                left -= 1
                if not left:
                    break
        if left:
            why = "".join(f"\n  {item}: {reason}" for item, reason in self.refused.items())
            raise PromptsetError(
                f"scenario {self.scenario.id}: part {number} asks {part.domain} for {part.count}"
                f" rows, {left} of them can't be had; add items to the domain or ask for fewer{why}"
            )

    def _next(self, item: Item, part: Part, dice: Dice) -> Row | None:
        key = part.domain, item.id
        if self.used.get(key, 0) >= item.at_most:
            return None
        for _ in range(_REDRAWS):
            row = self._row(item, part, dice)
            if reason := self._too_near(row):
                self.refused[item.id] = reason
                continue
            self.seen.add(asked(row))
            self.answers.add(row)
            self.used[key] = self.used.get(key, 0) + 1
            self.drawn += 1
            return row
        return None

    def _too_near(self, row: Row) -> str:
        if row.turns and asked(row) in self.seen:
            return "the same question was drawn before"
        if echo_passes(row):
            return "an echo of the prompt passes its checks"
        if other := self.answers.passing(row):
            return f"the answer of {_named(other)} passes its checks: {other.reference!r}"
        if other := self.answers.passed_by(row):
            return f"its answer {row.reference!r} passes the checks of {_named(other)}"
        return ""

    def _row(self, item: Item, part: Part, dice: Dice) -> Row:
        try:
            row = draw_row(
                item,
                dice,
                prompt_id=f"{self.name}-{self.drawn + 1:04d}",
                split=part.split or self.scenario.split,
                domain=part.domain,
            )
        except ValueError as error:
            raise PromptsetError(f"domains/{part.domain}.toml: item {item.id!r}: {error}") from None
        return msgspec.structs.replace(
            row,
            bucket=part.bucket or row.bucket,
            max_tokens=part.max_tokens or row.max_tokens,
        )


def _named(row: Row) -> str:
    return " ".join(tag for tag in row.tags if tag.startswith(("domain:", "item:")))


def _chosen(part: Part, domain: Domain) -> list[Item]:
    return [
        msgspec.structs.replace(item, id=item.id or f"{item.category}-{number}")
        for number, item in enumerate(domain.items, start=1)
        if (not part.categories or item.category in part.categories)
        and (not part.buckets or item.bucket in part.buckets)
    ]


def _only(scenario: Scenario, domain: str, count: int) -> Scenario:
    part = msgspec.structs.replace(scenario.parts[0], domain=domain, count=count)
    whole = msgspec.structs.replace(part, categories=(), buckets=(), bucket=None, max_tokens=None)
    return msgspec.structs.replace(scenario, parts=(whole,))


def _given(prompts: Sequence[Mapping[str, Any]], name: str) -> Domain:
    items = [{"ask": [prompt.get("text")], **prompt} for prompt in prompts]
    for item in items:
        item.pop("text", None)
    try:
        return msgspec.convert(
            {"id": name, "description": "Given by the caller.", "items": items}, Domain
        )
    except msgspec.ValidationError as error:
        raise PromptsetError(f"prompts: {error}") from None
