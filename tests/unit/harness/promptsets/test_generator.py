"""The same seed makes the same bytes; faulty sources make nothing."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PromptsetError
from harness.promptsets import sources
from harness.promptsets.drawing import Dice
from harness.promptsets.generator import PromptsetGenerator
from harness.promptsets.lint import lint
from harness.promptsets.store import load

SCENARIO = """
id = "small"
version = 2
description = "A few sums."
seed = 7
split = "train"
context = 256
parts = [{ domain = "sums", count = 6, bucket = "tiny", max_tokens = 12 }]
"""
DOMAIN = """
id = "sums"
description = "Sums."

[[items]]
id = "sum"
category = "sum"
ask = ["What is {a}+{b}?", "Add {a} and {b}."]
answer = "{r}"
checks = [{ kind = "numeric", value = "{r}" }]
at_most = 5
draw = { a = { from = 10, to = 90 }, b = { from = 10, to = 90, step = 10 } }
compute = { r = "a + b" }
where = ["r != b"]

[[items]]
id = "colour"
category = "fact"
ask = ["Which colour is grass? Answer like {this}."]
answer = "Green."
checks = [{ kind = "exact", values = ["green"] }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, name, text in (("scenarios", "small", SCENARIO), ("domains", "sums", DOMAIN)):
        (tmp_path / "sources" / kind).mkdir(parents=True)
        (tmp_path / "sources" / kind / f"{name}.toml").write_text(text)
    return tmp_path / "sources"


def generate(folder: Path, output: str, *, seed: int = 7, **arguments: Any) -> Path:  # noqa: ANN401
    generator = PromptsetGenerator(seed=seed, sources=folder)
    made = generator.generate_promptset("small", output_dir=folder.parent / output, **arguments)
    return folder.parent / output / made.name


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def change(folder: Path, kind: str, name: str, old: str, new: str) -> None:
    path = folder / kind / f"{name}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_same_seed_makes_the_same_bytes(folder: Path) -> None:
    assert contents(generate(folder, "one")) == contents(generate(folder, "two"))


def test_another_seed_makes_other_rows(folder: Path) -> None:
    rows = load(str(generate(folder, "one"))).rows
    assert rows != load(str(generate(folder, "two", seed=8))).rows


def test_rows_are_as_scenario_and_domain_say(folder: Path) -> None:
    found = load(str(generate(folder, "one")))
    assert found.manifest.version == 2
    assert found.manifest.categories == {"fact": 1, "sum": 5}
    assert found.manifest.tokens is None
    assert {row.split for row in found.rows} == {"train"}
    assert {(row.bucket, row.max_tokens) for row in found.rows} == {("tiny", 12)}
    assert {row.tags for row in found.rows} == {
        ("domain:sums", "item:sum"),
        ("domain:sums", "item:colour"),
    }
    for row in found.rows:
        if row.category == "sum":
            numbers = [
                int(word.strip("?."))
                for word in row.question.replace("+", " ").split()
                if word.strip("?.").isdigit()
            ]
            assert row.reference == str(sum(numbers))


def test_the_manifest_names_what_it_was_made_from(folder: Path) -> None:
    generator = load(str(generate(folder, "one"))).manifest.generator
    assert generator.arguments == {"scenario_id": "small", "dataset_id": "", "prompts": None}
    assert set(generator.sources) == {"scenarios/small.toml", "domains/sums.toml"}


def test_answers_of_one_set_never_pass_for_each_other(folder: Path) -> None:
    faults = lint([generate(folder, "one")], lambda _: 5)
    assert [fault.what for fault in faults] == ["tokens were not measured"]


def test_braces_stay_where_nothing_is_drawn(folder: Path) -> None:
    rows = load(str(generate(folder, "one"))).rows
    assert "Which colour is grass? Answer like {this}." in {row.question for row in rows}


def test_prompts_of_the_caller_take_the_place_of_the_domains(folder: Path) -> None:
    prompts = [
        {
            "text": "What is {x}?",
            "category": "definition",
            "answer": "A place.",
            "checks": [{"kind": "contains_any", "values": ["place"]}],
        },
        {"text": "Explain attention.", "category": "explanation"},
    ]
    made = generate(folder, "one", dataset_id="mine", prompts=prompts)
    found = load(str(made))
    assert made.name == "small-mine"
    assert {row.question for row in found.rows} == {"What is {x}?", "Explain attention."}
    assert found.manifest.generator.arguments["prompts"] == 2


@pytest.mark.parametrize("prompt", [{"text": "x"}, {"category": "x"}, {"text": 1, "category": "x"}])
def test_a_prompt_of_the_caller_needs_text_and_category(
    folder: Path, prompt: dict[str, object]
) -> None:
    with pytest.raises(PromptsetError, match="prompts: "):
        generate(folder, "one", prompts=[prompt])
    assert not (folder.parent / "one").exists()


@pytest.mark.parametrize(
    ("kind", "name", "old", "new", "message"),
    [
        ("scenarios", "small", "context", "kontext", "unknown field `kontext`"),
        ("scenarios", "small", 'domain = "sums"', 'domain = "nope"', "no domain 'nope'"),
        ("scenarios", "small", 'id = "small"', 'id = "other"', "expected the file's name 'small'"),
        ("scenarios", "small", "count = 6", "count = 7", "1 of them can't be had"),
        ("scenarios", "small", "version = 2", "version = ", r"small\.toml"),
        ("domains", "sums", "at_most", "atmost", "unknown field `atmost`"),
        ("domains", "sums", "a + b", "a + c", "item 'sum': 'a . c': KeyError"),
        ("domains", "sums", "Add {a}", "Add {d}", "there is no value 'd'"),
        ("domains", "sums", "r != b", "r == 0", "did not hold"),
        ("domains", "sums", "numeric", "nummeric", "item 'sum': Invalid value 'nummeric'"),
        ("domains", "sums", "from = 10, to = 90 }", "from = 90, to = 10 }", "from is beyond to"),
        ("domains", "sums", "from = 10, to = 90 }", "from = 10 }", "either from and to, or of"),
    ],
)
def test_faulty_sources_are_refused_and_nothing_is_written(
    folder: Path, kind: str, name: str, old: str, new: str, message: str
) -> None:
    change(folder, kind, name, old, new)
    with pytest.raises(PromptsetError, match=message):
        generate(folder, "one")
    assert not (folder.parent / "one").exists()


def test_an_unknown_scenario_lists_the_known(folder: Path) -> None:
    with pytest.raises(PromptsetError, match=r"no scenario 'big' .* known are small"):
        PromptsetGenerator(seed=1, sources=folder).generate_promptset("big", output_dir=folder)


def test_the_shipped_sources_can_all_be_read() -> None:
    for name in sources.known("scenarios"):
        for part in sources.scenario(name).parts:
            assert sources.domain(part.domain).items


@given(st.integers(0, 2**53), st.text(max_size=10), st.integers(1, 50))
def test_dice_stay_in_their_range_and_repeat(seed: int, stream: str, size: int) -> None:
    first, second = Dice(seed, stream), Dice(seed, stream)
    throws = [first.below(size) for _ in range(20)]
    assert throws == [second.below(size) for _ in range(20)]
    assert set(throws) <= set(range(size))
    assert sorted(first.shuffled(list(range(size)))) == list(range(size))
