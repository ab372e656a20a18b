"""What a run's answers are to a judge: one for each row and arm, in the order of the rows."""

from collections.abc import Iterator

import msgspec

from harness.errors import WrongInput
from harness.judge.pairwise import Pair
from harness.judge.scoring import Case
from harness.promptsets.rows import Row
from harness.records import Record
from harness.runs.folder import RunFolder


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    arm: str
    row: Row
    record: Record

    @property
    def case(self) -> Case:
        return Case(
            case_id=f"{self.arm}/{self.row.prompt_id}",
            question=self.row.question,
            answer=self.record.output,
            reference=self.row.reference,
            category=self.row.category,
        )


def answers_of(run: RunFolder) -> list[Answer]:
    """The first answer to each row by each arm, warm-up left out.

    A row that was asked again says little new about a model, and would make every interval look
    narrower than it is. Raises WrongInput where the run has none.
    """
    first: dict[tuple[str, str], Record] = {}
    for record in run.records():
        if record.index >= run.plan.first_measured:
            known = first.setdefault((record.arm, record.prompt_id), record)
            if record.index < known.index:
                first[record.arm, record.prompt_id] = record
    found = list(_in_order(run, first))
    if not found:
        raise WrongInput(f"{run.path} has no answers to judge: was it run to its end?")
    return found


def pairs_of(left: RunFolder, right: RunFolder, arms: tuple[str, str]) -> tuple[list[Pair], int]:
    """The pairs of answers to the same rows, and how many rows one side did not answer.

    Raises WrongInput where the runs have not asked the same.
    """
    sides = [
        {answer.row.prompt_id: answer for answer in answers_of(run) if answer.arm == arm}
        for run, arm in ((left, arms[0]), (right, arms[1]))
    ]
    for run, arm, side in zip((left, right), arms, sides, strict=True):
        if not side:
            known = ", ".join(one.name for one in run.plan.arms)
            raise WrongInput(f"{run.path} has no answers of an arm {arm!r}; there are {known}")
    ones, others = sides
    if left.plan.promptset.sha256 != right.plan.promptset.sha256:
        raise WrongInput(
            f"the runs asked different promptsets: {left.plan.promptset.name} "
            f"v{left.plan.promptset.version} and {right.plan.promptset.name} "
            f"v{right.plan.promptset.version}; answers are compared on the same rows only"
        )
    if ones.keys() != others.keys():
        raise WrongInput(
            f"the runs asked different rows ({len(ones.keys() ^ others.keys())} are in one only); "
            "answers are compared on the same rows only"
        )
    both = [(answer, others[name]) for name, answer in ones.items()]
    pairs = [_pair(one, other) for one, other in both if one.record.ok and other.record.ok]
    return pairs, len(both) - len(pairs)


def _pair(one: Answer, other: Answer) -> Pair:
    return Pair(
        pair_id=one.row.prompt_id,
        question=one.row.question,
        left=one.record.output,
        right=other.record.output,
        category=one.row.category,
    )


def _in_order(run: RunFolder, first: dict[tuple[str, str], Record]) -> Iterator[Answer]:
    for arm in run.plan.arms:
        for row in run.rows:
            record = first.get((arm.name, row.prompt_id))
            if record is not None:
                yield Answer(arm=arm.name, row=row, record=record)
