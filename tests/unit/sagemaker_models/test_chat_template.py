from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

import sagemaker_models

TEMPLATE = Path(sagemaker_models.__file__).with_name("chat_template.jinja")


def render(*turns: tuple[str, str | None]) -> str:
    # As transformers renders it: sandboxed apart, with these two switches.
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text())
    messages = [{"role": role, "content": content} for role, content in turns]
    return template.render(messages=messages, bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([("user", "Hi")], "<s>[INST] Hi [/INST]"),
        (
            [("user", "Hi"), ("assistant", "Hello"), ("user", "2+2?")],
            "<s>[INST] Hi [/INST]Hello</s>[INST] 2+2? [/INST]",
        ),
        ([("system", "Be brief."), ("user", "Hi")], "<s>[INST] Be brief.\n\nHi [/INST]"),
        ([("developer", "Be brief."), ("user", "Hi")], "<s>[INST] Be brief.\n\nHi [/INST]"),
        ([("user", "Hi"), ("user", "there")], "<s>[INST] Hi\n\nthere [/INST]"),
        ([("assistant", "Hello"), ("user", "Hi")], "<s>Hello</s>[INST] Hi [/INST]"),
        ([("user", "")], "<s>[INST]  [/INST]"),
        ([("user", "Hi"), ("assistant", None)], "<s>[INST] Hi [/INST]</s>"),
        ([("user", "a\n b ")], "<s>[INST] a\n b  [/INST]"),
        ([], "<s>"),
    ],
)
def test_conversations_render_in_mistrals_form(
    turns: list[tuple[str, str | None]], expected: str
) -> None:
    assert render(*turns) == expected
