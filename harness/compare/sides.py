"""One arm of one run, as it is compared with another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.aggregate import Aggregate, Grade
from harness.errors import StoreError, WrongInput
from harness.plan import Arm, Plan
from harness.promptsets.rows import Row
from harness.records import Record
from harness.runs import validity
from harness.runs.folder import RunFolder
from harness.runs.grading import grade_with
from harness.summarise import summarise
from harness.summary import ArmSummary, Summary
from harness.totals import ArmTotals
from harness.verdict import Finding


@dataclass(frozen=True, kw_only=True)
class Run:
    """Read once, and summed up anew: what its summary says may be older than its records."""

    path: Path
    plan: Plan
    rows: dict[str, Row]
    records: tuple[Record, ...]
    """Of all arms, in the order in which they were planned."""
    aggregate: Aggregate = field(repr=False)
    summary: Summary = field(repr=False)
    stored: Summary | None = field(repr=False)
    """As it was written when the run was over."""
    grade: Grade

    @classmethod
    def read(cls, path: Path) -> "Run":
        """Raises StoreError where it is no run, or its records are another run's."""
        folder = RunFolder(path)
        plan, rows, stored = folder.plan, folder.rows, folder.summary
        grade = grade_with(rows)
        records = tuple(sorted(folder.records(), key=lambda record: record.index))
        try:
            aggregate = Aggregate.of(
                records,
                plan,
                grade,
                categories={row.prompt_id: row.category for row in rows},
                health=folder.health(),
                planned=stored.planned if stored else None,
                segments=max(1, folder.segments),
            )
        except KeyError as error:
            raise StoreError(
                f"{path}: its records don't belong to its plan: {error} is unknown"
            ) from None
        except ValueError as error:  # times that run backwards
            raise StoreError(f"{path}: its records can't be: {error}") from None
        return cls(
            path=path,
            plan=plan,
            rows={row.prompt_id: row for row in rows},
            records=records,
            aggregate=aggregate,
            summary=summarise(plan, aggregate),
            stored=stored,
            grade=grade,
        )

    @property
    def over(self) -> bool:
        return self.stored is not None

    def finding(self, *, watched: bool = False, timed: bool = False) -> Finding:
        """As `harness.runs.validity` has it."""
        return validity.finding(
            self.plan, self.aggregate, self.stored, watched=watched, timed=timed
        )

    def measured(self, arm: str) -> Iterator[Record]:
        """Without the warm-up."""
        return (
            record
            for record in self.records
            if record.arm == arm and record.index >= self.plan.first_measured
        )


@dataclass(frozen=True, kw_only=True)
class Side:
    run: Run
    arm: Arm
    label: str
    """Unlike the other side's."""

    @property
    def summary(self) -> ArmSummary:
        return next(one for one in self.run.summary.arms if one.arm == self.arm.name)

    @property
    def totals(self) -> ArmTotals:
        return self.run.aggregate.arms[self.arm.name]


def sides(first: Path, second: Path | None = None) -> tuple[Side, Side]:
    """Reference and candidate: one run's two arms, or the only arms of two runs.

    Raises WrongInput where these are not two, or were asked different promptsets.
    """
    one = Run.read(first)
    if second is None:
        if len(one.plan.arms) == 1:
            raise WrongInput(f"{first} has one arm: name a second run to compare it with")
        reference, candidate = one.plan.arms
        return (
            Side(run=one, arm=reference, label=reference.name),
            Side(run=one, arm=candidate, label=candidate.name),
        )
    if first.resolve() == second.resolve():
        raise WrongInput(f"{first} is named twice: a run is not compared with itself")
    other = Run.read(second)
    same_promptset(one, other)
    arms = _only_arm(one), _only_arm(other)
    names = [arm.name for arm in arms]
    if names[0] == names[1]:
        names = [
            f"{name} ({run.plan.run_id})" for name, run in zip(names, (one, other), strict=True)
        ]
    return (
        Side(run=one, arm=arms[0], label=names[0]),
        Side(run=other, arm=arms[1], label=names[1]),
    )


def same_promptset(one: Run, other: Run) -> None:
    """Raises WrongInput, naming both checksums, where they were not asked the same."""
    mine, theirs = one.plan.promptset, other.plan.promptset
    if mine.sha256 != theirs.sha256:
        raise WrongInput(
            f"different promptsets: {one.path} was asked {mine.name} v{mine.version} "
            f"(sha256 {mine.sha256}), {other.path} {theirs.name} v{theirs.version} "
            f"(sha256 {theirs.sha256}): ask both the same one"
        )


def _only_arm(run: Run) -> Arm:
    if len(run.plan.arms) > 1:
        raise WrongInput(f"{run.path} has two arms already: compare it alone")
    return run.plan.arms[0]
