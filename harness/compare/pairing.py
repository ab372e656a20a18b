"""Answers to the same item: the same prompt, asked for the same time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from harness.compare.sides import Run, Side
from harness.plan import Generation
from harness.promptsets.rows import Row
from harness.records import Record
from harness.verdict import Finding, Verdict

Key = tuple[str, int]
"""A prompt, and how many times it was asked before, warm-up aside."""
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    row: Row
    repeat: int
    reference: Record
    candidate: Record
    passed: tuple[bool, bool] | None
    """None where the row has no checks."""

    @property
    def asked_ns(self) -> int:
        return self.reference.planned_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    pairs: tuple[Pair, ...]
    """By prompt, then by repeat."""
    alone: tuple[Key, ...]
    """Asked of one of them only."""

    @classmethod
    def of(cls, reference: Side, candidate: Side) -> "Pairs":
        """Of measured requests: the n-th of a prompt on one side with the n-th on the other."""
        left, right = (_by_key(side) for side in (reference, candidate))
        return cls(
            pairs=tuple(
                _pair(key, left[key], right[key], (reference.run, candidate.run))
                for key in sorted(left.keys() & right.keys())
            ),
            alone=tuple(sorted(left.keys() ^ right.keys())),
        )

    @property
    def prompts(self) -> int:
        return len({pair.row.prompt_id for pair in self.pairs})

    @property
    def finding(self) -> Finding:
        """INVALID where one was asked what the other was not."""
        examples = ", ".join(f"{prompt} ({repeat + 1})" for prompt, repeat in self.alone[:_SHOWN])
        if self.alone:
            reason = (
                f"{len(self.alone):,} requests have no counterpart, e.g. {examples}: give both "
                "runs the same count, or ask both arms in one run"
            )
        elif not self.pairs:
            reason = "no request of the one has a counterpart in the other"
        else:
            reason = f"{len(self.pairs):,} pairs of {self.prompts:,} prompts, nothing left over"
        return Finding(
            name="pairs",
            verdict=Verdict.PASS if self.pairs and not self.alone else Verdict.INVALID,
            reason=reason,
            measured=len(self.pairs),
            unit="pairs",
        )


def same_questions(reference: Side, candidate: Side) -> Finding | None:
    """INVALID where answers were to be generated differently; None where they were not."""
    mine, theirs = (side.run.plan.generation for side in (reference, candidate))
    different = [name for name in Generation.__struct_fields__ if _differs(name, mine, theirs)]
    if not different:
        return None
    told = ", ".join(
        f"{name} {getattr(mine, name)} and {getattr(theirs, name)}" for name in different
    )
    return Finding(
        name="same questions",
        verdict=Verdict.INVALID,
        reason=f"answers were to be generated differently: {told}",
    )


def _differs(name: str, mine: Generation, theirs: Generation) -> bool:
    return bool(getattr(mine, name) != getattr(theirs, name))


def _by_key(side: Side) -> Mapping[Key, Record]:
    """A request that was recorded twice counts once here; the ledger makes the run INVALID."""
    once = {record.index: record for record in side.run.measured(side.arm.name)}
    asked: Counter[str] = Counter()
    found: dict[Key, Record] = {}
    for record in once.values():
        found[record.prompt_id, asked[record.prompt_id]] = record
        asked[record.prompt_id] += 1
    return found


def _pair(key: Key, reference: Record, candidate: Record, runs: tuple[Run, Run]) -> Pair:
    old, new = runs[0].grade(reference), runs[1].grade(candidate)
    return Pair(
        row=runs[0].rows[key[0]],
        repeat=key[1],
        reference=reference,
        candidate=candidate,
        passed=None if old is None or new is None else (old, new),
    )
