"""Lint finds what would let a wrong answer pass, and says where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.checks import ContainsAny, Exact, Numeric, Regex
from harness.promptsets import manifest
from harness.promptsets.lint import Fault, lint
from harness.promptsets.rows import Row, ScoreBands
from tests.unit.harness.promptsets.conftest import sums

Make = Callable[..., Path]
FIRST, SECOND, THIRD = sums()


def few(_: Row) -> int:
    return 5


def faults(folder: Path, prompt_id: str = "sum-1") -> list[str]:
    return [fault.what for fault in lint([folder], few) if fault.prompt_id in {prompt_id, ""}]


def changed(**fields: Any) -> tuple[Row, ...]:  # noqa: ANN401
    return (replace(FIRST, **fields), SECOND, THIRD)


def test_a_sound_set_has_no_fault(make: Make) -> None:
    assert lint([make()], few) == []


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"checks": ()}, "has no checks"),
        ({"reference": None}, "has no reference"),
        ({"reference": "3"}, "its reference fails its own checks (numeric: its last number is 3"),
        ({"checks": (ContainsAny(values=("1", "2")),)}, "an echo of the prompt passes"),
        ({"checks": (Regex(pattern="2?"),)}, "an empty answer passes"),
        ({"checks": (ContainsAny(values=("2", "not")),)}, "'I am not sure.' passes"),
        ({"checks": (Numeric(value=3, tolerance=1),)}, "regards"),
        ({"checks": (Numeric(value=2, tolerance=2),)}, "numeric: a tolerance of 2 on 2"),
        ({"checks": (Exact(values=("2", "4")),)}, "the reference of sum-2 passes its checks: '4'"),
        ({"max_tokens": 60}, "5 tokens of prompt and 60 of answer, 64 fit"),
    ],
)
def test_a_fault_of_a_row_is_told(make: Make, fields: dict[str, Any], what: str) -> None:
    found = faults(make(changed(**fields)))
    if what == "regards":  # 3 ± 1 takes the 4 of the next row
        what = "the reference of sum-2 passes its checks"
    assert any(told.startswith(what) for told in found), found


def test_a_fault_names_file_line_row_and_remedy(make: Make) -> None:
    folder = make((FIRST, replace(SECOND, reference="5"), THIRD))
    (fault,) = lint([folder], few)
    assert str(fault) == (
        f"{folder}/prompts.jsonl:2: sum-2: its reference fails its own checks (numeric: its last"
        " number is 5, expected 4 ± 0); correct one of them"
    )


def test_the_same_question_twice_is_a_fault(make: Make) -> None:
    again = replace(SECOND, prompt=" what  is 1+1? ")
    found = faults(make((FIRST, again, THIRD)), "sum-2")
    assert any(what.startswith("asks the same as sum-1 (") for what in found)


def test_an_id_is_used_once(make: Make) -> None:
    found = faults(make((FIRST, replace(SECOND, prompt_id="sum-1"), THIRD)))
    assert any(what.startswith("the prompt_id is also at ") for what in found)


def test_the_same_question_in_two_splits_is_a_leak(make: Make) -> None:
    held_out = make()
    train = make((replace(FIRST, prompt_id="t-1", split="train", prompt="what is 1+1?"),), "train")
    (leak,) = lint([held_out, train], few)
    assert leak.where == f"{train}/prompts.jsonl:1"
    assert "is in the split train, and in eval_holdout as sum-1" in leak.what


def test_a_judged_answer_may_have_its_question_twice(make: Make) -> None:
    right = replace(FIRST, checks=(), candidate="2", expected=ScoreBands(passed=True))
    wrong = replace(right, prompt_id="wrong", candidate="3", expected=ScoreBands(passed=False))
    assert lint([make((right, wrong))], few) == []
    again = replace(wrong, prompt_id="again")
    assert len(lint([make((right, wrong, again))], few)) == 1


def test_a_broken_line_does_not_hide_the_others(make: Make) -> None:
    folder = make(changed(checks=()))
    rows = folder / manifest.ROWS
    rows.write_bytes(rows.read_bytes() + b'{"prompt_id": 1}\n')
    told = [str(fault) for fault in lint([folder], few)]
    assert any("prompts.jsonl:4:" in line and "prompt_id" in line for line in told)
    assert any("sum-1: has no checks" in line for line in told)
    assert any("sha256 is" in line for line in told)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    told = lint([tmp_path / "nothing"], few)
    assert told
    assert all(isinstance(fault, Fault) for fault in told)
