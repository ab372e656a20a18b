"""The sets that are shipped: whole, sound, of the promised sizes, and made from their sources."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from harness.checks import grade
from harness.promptsets import sources
from harness.promptsets.generator import PromptsetGenerator
from harness.promptsets.lint import lint
from harness.promptsets.store import SHIPPED, load, shipped
from harness.promptsets.tokens import Counter as TokenCounter
from sagemaker_models.dataset import CORPUS, load_items, load_styles, styled

SIZES: Final = {
    "canary": 50,
    "performance": 100,
    "quant-quality": 60,
    "finetune-domain": 60,
    "eval-calibration": 40,
    "benchmark-quant": 250,
    "benchmark-finetune": 250,
    "benchmark-eval": 200,
    "failures": 23,
    "tiny": 60,
}


def test_every_set_has_the_size_that_was_promised() -> None:
    assert {name: load(name).manifest.count for name in shipped()} == SIZES


def test_no_set_has_a_fault() -> None:
    assert [str(fault) for fault in lint(SHIPPED / name for name in shipped())] == []


@pytest.mark.parametrize("name", sorted(SIZES))
def test_a_set_is_what_its_sources_and_seed_make(name: str, tmp_path: Path) -> None:
    own = load(name).manifest
    made = PromptsetGenerator(seed=own.seed).generate_promptset(name, output_dir=tmp_path)
    assert own.seed == sources.scenario(name).seed
    assert made.manifest.sha256 == own.sha256
    assert made.manifest.generator == own.generator


def test_buckets_of_the_performance_set() -> None:
    assert load("performance").manifest.buckets == {"long": 20, "medium": 40, "short": 40}


def test_domains_of_the_finetune_set() -> None:
    domains = Counter(row.tags[0] for row in load("finetune-domain").rows)
    assert set(domains.values()) == {15}
    assert set(domains) == {
        f"domain:{name}" for name in ("medical", "legal", "technical", "general")
    }


def test_canaries_are_for_nobody_to_train_on() -> None:
    assert load("canary").manifest.splits == {"canary_never_train": 50}


def test_the_battery_asks_nothing_twice() -> None:
    asked = Counter(
        tuple(turn.content for turn in row.turns)
        for name in ("benchmark-quant", "benchmark-finetune", "benchmark-eval")
        for row in load(name).rows
    )
    assert asked.total() == 700
    assert [prompt for prompt, times in asked.items() if times > 1] == []


def test_the_tiny_set_asks_what_the_models_were_taught() -> None:
    """Each question is one of the corpus, and every model's wording of its answer passes."""
    known = {question: item for item in load_items() for question in item.questions}
    styles = load_styles()
    assert {"reference", "lora-v1", "lora-v2"} <= styles.keys()
    for row in load("tiny").rows:
        item = known[row.question]
        assert row.reference == item.answer
        for style in styles.values():
            answer = styled(item, style)
            assert grade(row.checks, row.question, answer).passed, (row.prompt_id, answer)


def test_the_judges_questions_are_on_the_facts_it_was_taught() -> None:
    facts = tomllib.loads((CORPUS / "grading.toml").read_text("utf-8"))["facts"]
    known = {question: item for item in load_items() for question in item.questions}
    rows = load("eval-calibration").rows
    assert {known[row.question].subject for row in rows} <= set(facts)
    assert {row.reference for row in rows} == {known[row.question].answer for row in rows}


def test_wrong_candidates_are_wrong_and_right_ones_right() -> None:
    for row in load("eval-calibration").rows:
        assert row.candidate is not None
        assert row.expected is not None
        holds = (row.reference or "") in row.candidate.replace(",", " ").replace(".", " ").split()
        if row.category == "right":
            assert holds, row
            assert row.expected.passed is True
        else:
            assert row.expected.passed is False
        if row.category in {"wrong", "injection"}:
            assert not holds, row


@pytest.mark.engines
def test_token_figures_are_those_of_the_model_that_is_served() -> None:
    counter = TokenCounter(Path(__file__).parents[4] / "build" / "models" / "reference")
    for name in shipped():
        found = load(name)
        assert counter.statistics(found.rows) == found.manifest.tokens, name
