"""`compare`, `ab` and `gate` as people and pipelines call them."""

from pathlib import Path

import msgspec
import pytest

from harness.compare.gate import GateReport
from harness.compare.results import Comparison
from harness.compare.variants import AbReport
from harness.errors import PolicyError, StoreError, WrongInput
from harness.verdict import Verdict
from tests.support.compared_runs import failing, right, run_folder, wrong_on
from tests.support.harness_runs import command


def test_compare_writes_json_and_a_page_beside_the_candidates_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = run_folder(tmp_path / "a", {"fp16": right}, prompts=400)
    other = run_folder(tmp_path / "b", {"awq": wrong_on(9)}, prompts=400)
    assert command("compare", str(one), str(other), "--margin", "0.05") == 0
    found = msgspec.json.decode((other / "compare.json").read_bytes(), type=Comparison)
    assert found.verdict is Verdict.PASS
    page = (other / "compare.html").read_text("utf-8")
    assert "What is number 9?" in page
    assert "noise floor" in page
    assert "<script" not in page
    said = capsys.readouterr().out
    assert "PASS" in said
    assert "noise floor" in said
    assert "p0009" in said


def test_the_exit_code_is_the_verdict(tmp_path: Path) -> None:
    good = run_folder(tmp_path / "a", {"fp16": right})
    bad = run_folder(tmp_path / "b", {"awq": failing})
    lost = run_folder(tmp_path / "c", {"awq": right}, lost=(0,))
    codes = [
        command("compare", str(good), str(other), "--output", str(tmp_path / "out"))
        for other in (bad, run_folder(tmp_path / "d", {"awq": right}), lost)
    ]
    assert codes == [1, 2, 3]


def test_an_answer_that_is_markup_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> [bold]9[/bold]"
    one = run_folder(tmp_path / "a", {"fp16": right})
    other = run_folder(tmp_path / "b", {"awq": lambda *_: {"output": evil}})
    command("compare", str(one), str(other))
    page = (other / "compare.html").read_text("utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name one run of two arms, or two runs"),
        (("a", "b", "c"), "name one run of two arms, or two runs"),
        (("--reference", "reference"), "takes all of"),
        (("--candidate", "quant", "--promptset", "tiny"), "takes all of"),
    ],
)
def test_what_can_not_be_compared_is_refused(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(WrongInput, match=told):
        command("compare", *arguments)


def test_runs_and_names_together_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    one = run_folder(tmp_path / "a", {"fp16": right})
    with pytest.raises(WrongInput, match="not both"):
        command("compare", str(one), "--reference", "a", "--candidate", "b", "--promptset", "tiny")


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "a", {"one": right, "two": right})
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        command("compare", str(run), "--output", str(tmp_path / "file" / "out"))


def test_ab_says_which_is_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def split(number: int, repeat: int) -> dict[str, object]:
        variant = "lora-v1" if (number + repeat) % 5 else "lora-v2"
        answer = right if variant == "lora-v2" or number % 2 else failing
        return {**answer(number, repeat), "variant": variant}

    run = run_folder(tmp_path / "r", {"finetune": split}, repeat=10)
    assert command("ab", str(run), "--split", "lora-v1=80", "--split", "lora-v2=20") == 0
    found = msgspec.json.decode((run / "ab.json").read_bytes(), type=AbReport)
    assert found.winner == "lora-v2"
    assert "better: lora-v2" in capsys.readouterr().out
    assert "lora-v1" in (run / "ab.html").read_text("utf-8")


@pytest.mark.parametrize(
    "split", ["lora-v1", "lora-v1=many", "lora-v1=-1", "a=nan", "a=inf", "a=0"]
)
def test_a_split_that_is_none_is_refused(tmp_path: Path, split: str) -> None:
    run = run_folder(tmp_path / "r", {"finetune": right})
    with pytest.raises(WrongInput, match="--split"):
        command("ab", str(run), "--split", split)


def test_gate_answers_a_pipeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = run_folder(tmp_path / "a", {"fp16": right}, prompts=400)
    other = run_folder(tmp_path / "b", {"awq": right}, prompts=400)
    bad = run_folder(tmp_path / "c", {"awq": wrong_on(*range(100))}, prompts=400)
    assert command("gate", str(other), "--baseline", str(good)) == 0
    assert command("gate", str(bad), "--baseline", str(good)) == 1
    assert command("gate", str(other)) == 2
    found = msgspec.json.decode((bad / "gate.json").read_bytes(), type=GateReport)
    assert found.verdict is Verdict.FAIL
    assert "quality.min_ratio" in (bad / "gate.html").read_text("utf-8")
    assert "quality.margin" in capsys.readouterr().out


def test_gate_names_the_mistake_in_a_policy(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "a", {"fp16": right})
    policy = tmp_path / "mine.toml"
    policy.write_text("[quality]\nmin_pas_rate = 0.8\n")
    with pytest.raises(PolicyError, match=r"mine\.toml.*min_pas_rate"):
        command("gate", str(run), "--policy", str(policy))
    assert not (run / "gate.json").exists()
