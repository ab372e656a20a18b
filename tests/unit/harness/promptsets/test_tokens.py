"""Tokens are counted as the served model counts them."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from harness.errors import PromptsetError
from harness.promptsets.rows import Message, Row
from harness.promptsets.tokens import Counter, measured

TEMPLATE = "{{ bos_token }}{% for m in messages %} {{ m.role }} {{ m.content }}{% endfor %}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    words = ["<s>", "user", "assistant", "hello", "[UNK]"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model = tmp_path / "toy"
    model.mkdir()
    tokenizer.save(str(model / "tokenizer.json"))
    (model / "chat_template.jinja").write_text(TEMPLATE)
    return model


def row(*texts: str, max_tokens: int = 4) -> Row:
    roles = ("user", "assistant") * len(texts)
    turns = tuple(
        Message(role=role, content=text)  # type: ignore[arg-type]
        for role, text in zip(roles, texts, strict=False)
    )
    return Row(prompt_id="a", messages=turns, max_tokens=max_tokens, category="x")


def test_the_chat_template_counts_too(folder: Path) -> None:
    counter = Counter(folder)
    assert counter.name == "toy"
    assert counter.count(row("hello hello")) == 4
    assert counter.count(row("hello", "hello", "what?")) == 7


def test_statistics_are_over_all_rows() -> None:
    rows = [row("x", max_tokens=size) for size in (10, 1, 1, 1, 1)]
    sizes = iter([1, 2, 3, 4, 100])
    found = measured(rows, lambda _: next(sizes), "toy", "0" * 64)
    assert (found.min, found.p50, found.max, found.total) == (1, 3, 100, 110)
    assert found.p95 == 81
    assert found.max_with_answer == 101


def test_one_row_is_its_own_statistics() -> None:
    found = measured([row("x")], lambda _: 7, "toy", "0" * 64)
    assert (found.min, found.p50, found.p95, found.max) == (7, 7, 7, 7)


def test_no_prompts_have_no_statistics(folder: Path) -> None:
    assert Counter(folder).statistics([]) is None


def test_a_missing_tokenizer_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PromptsetError, match=r"tokenizer\.json.*make models"):
        Counter(tmp_path)


def test_a_broken_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(PromptsetError, match=r"tokenizer\.json"):
        Counter(folder)
