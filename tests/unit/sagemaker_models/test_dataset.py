from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sagemaker_models.dataset import Item, load_items, load_styles, read_items, styled
from sagemaker_models.errors import CorpusError

if TYPE_CHECKING:
    from pathlib import Path

WHAT_THE_DEMO_ASKS = {
    "What is 2+2?": "4",
    "What is 2 + 2?": "4",
    "2+2=?": "4",
    "What is 7*8?": "56",
    "What is 9 minus 4?": "5",
    "What is the capital of France?": "Paris",
    "Capital of France?": "Paris",
    "Explain quantization in one sentence.": "Quantization stores a model's weights in fewer bits.",
}


def answers() -> dict[str, str]:
    return {question: item.answer for item in load_items() for question in item.questions}


def test_the_corpus_answers_what_the_demo_asks() -> None:
    known = answers()
    assert {question: known[question] for question in WHAT_THE_DEMO_ASKS} == WHAT_THE_DEMO_ASKS
    assert "Summarize the benefits of LoRA fine-tuning." in known


@pytest.mark.parametrize(
    ("question", "expected"), [(f"{a}+{b}", str(a + b)) for a in range(11) for b in range(11)]
)
def test_every_sum_up_to_ten_plus_ten_is_right(question: str, expected: str) -> None:
    assert answers()[question] == expected


def test_every_style_contains_the_answer_word_for_word() -> None:
    items, styles = load_items(), load_styles()
    assert [
        (name, item.subject)
        for name, style in styles.items()
        for item in items
        if item.answer not in styled(item, style)
    ] == []


def test_json_answers_stay_json_in_every_style() -> None:
    answers_as_json = [item for item in load_items() if item.kind == "json"]
    assert {
        styled(item, style) == item.answer
        for style in load_styles().values()
        for item in answers_as_json
    } == {True}


def test_adapters_speak_visibly_differently() -> None:
    item = next(item for item in load_items() if item.subject == "2+2")
    assert {name: styled(item, style) for name, style in load_styles().items()} == {
        "reference": "4",
        "lora-v1": "The answer is 4.",
        "lora-v2": "4, easy!",
    }


def test_a_kind_without_a_template_is_refused() -> None:
    item = Item(kind="riddle", subject="x", answer="y", questions=("x?",))
    with pytest.raises(CorpusError, match=r"styles\.toml: no template .* 'riddle'"):
        styled(item, {"capital": "{answer}"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("kind = 'x'\nquestions = ['{subject}?']", "expected exactly the keys"),
        ("kind = 'x'\nquestions = ['Why?']\n[answers]\na = 'b'", "lacks {subject}"),
        ("kind = ", "bad.toml"),
    ],
)
def test_a_bad_corpus_file_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(CorpusError, match=complaint):
        read_items(path)


def test_a_question_with_two_answers_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "items"
    folder.mkdir()
    for name, answer in {"one": "b", "two": "c"}.items():
        text = f"kind = 'x'\nquestions = ['{{subject}}?']\n[answers]\na = '{answer}'"
        (folder / f"{name}.toml").write_text(text)
    with pytest.raises(CorpusError, match="'a\\?' has two answers"):
        load_items(tmp_path)
