"""`promptset generate|lint|show|push` from the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from harness.errors import PromptsetError
from harness.promptsets.commands import promptset
from tests.unit.harness.promptsets.conftest import sums

Make = Callable[..., Path]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(promptset, arguments, env={"COLUMNS": "160"})


def test_generate_writes_the_same_set_twice(tmp_path: Path) -> None:
    for output in ("one", "two"):
        result = run("generate", "canary", "--no-tokens", "--output", str(tmp_path / output))
        assert result.exit_code == 0, result.output
        assert "50 rows" in result.output
    one, two = ((tmp_path / name / "canary" / "prompts.jsonl") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_generate_takes_a_seed_and_a_domain(tmp_path: Path) -> None:
    result = run(
        "generate",
        "canary",
        "--domain",
        "numbers",
        "--seed",
        "5",
        "--no-tokens",
        "--output",
        str(tmp_path),
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "canary-numbers" / "manifest.json").exists()


def test_generate_wants_a_scenario() -> None:
    result = run("generate")
    assert result.exit_code == 2
    assert "quant-quality" in result.output


def test_generate_without_a_tokenizer_says_how_to_get_one(tmp_path: Path) -> None:
    result = run("generate", "canary", "--tokenizer", str(tmp_path), "--output", str(tmp_path))
    assert isinstance(result.exception, PromptsetError)
    assert "make models" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_lint_ends_with_0_where_all_is_well(make: Make) -> None:
    result = run("lint", str(make()))
    assert result.exit_code == 0
    assert result.output == "1 set, 0 faults\n"


def test_lint_ends_with_1_and_tells_each_fault(make: Make) -> None:
    first, *others = sums()
    result = run("lint", str(make((replace(first, reference="9"), *others))))
    assert result.exit_code == 1
    assert "prompts.jsonl:1: sum-1: its reference fails" in result.output
    assert result.output.endswith("1 set, 1 fault\n")


def test_lint_of_an_address_is_refused() -> None:
    assert isinstance(run("lint", "s3://bucket/x").exception, PromptsetError)


@pytest.mark.parametrize("name", ["./nowhere", __file__])
def test_lint_of_what_is_no_folder_is_refused(name: str) -> None:
    error = run("lint", name).exception
    assert isinstance(error, PromptsetError)
    assert str(error).startswith(f"{name}: there is no such folder; ")


def test_show_lists_the_sets() -> None:
    result = run("show")
    assert result.exit_code == 0
    assert "benchmark-quant" in result.output
    assert "canary_never_train" in result.output


@pytest.mark.parametrize("name", ["tiny", "failures", "eval-calibration"])
def test_show_prints_manifest_and_rows(name: str) -> None:
    result = run("show", name, "--rows", "3")
    assert result.exit_code == 0
    assert "sha256" in result.output
    assert f"{name}-0001" in result.output


def test_show_refuses_an_unknown_category() -> None:
    assert isinstance(run("show", "tiny", "--category", "nope").exception, PromptsetError)
