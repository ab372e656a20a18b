from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sagemaker_models import lineage
from sagemaker_models.errors import LineageError
from sagemaker_models.recipes import Family, Lora, Pretrain, load_family

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def family() -> Family:
    return load_family("tiny")


def key(family: Family, name: str, tool_version: str = "1.0") -> str:
    """With versions given: the tools themselves need not be installed here."""

    def versions(kind: str) -> dict[str, str]:
        return dict.fromkeys(lineage.TOOLS[kind], tool_version)

    return lineage.cache_key(lineage.inputs(family, name, versions))


def model(folder: Path, **recorded: object) -> Path:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(folder.name.encode())
    lineage.write_lineage(folder, recorded)
    return folder


def test_the_key_depends_on_the_recipe(family: Family) -> None:
    before = key(family, "lora-v1")
    recipe = family["lora-v1"]
    assert isinstance(recipe, Lora)
    assert key({**family, "lora-v1": replace(recipe, rank=8)}, "lora-v1") != before
    assert key(family, "lora-v1") == before


def test_changing_an_adapter_leaves_its_base_and_its_sibling_alone(family: Family) -> None:
    recipe = family["lora-v1"]
    assert isinstance(recipe, Lora)
    changed = {**family, "lora-v1": replace(recipe, steps=1)}
    assert {name for name in family if key(family, name) != key(changed, name)} == {"lora-v1"}


def test_changing_the_reference_changes_all_that_is_made_from_it(family: Family) -> None:
    recipe = family["reference"]
    assert isinstance(recipe, Pretrain)
    changed = {**family, "reference": replace(recipe, seed=1)}
    assert {name for name in family if key(family, name) != key(changed, name)} == {
        "reference",
        "awq",
        "lora-v1",
        "lora-v2",
    }


def test_the_key_depends_on_the_tools_versions(family: Family) -> None:
    assert key(family, "judge", "1.0") != key(family, "judge", "2.0")


@pytest.mark.parametrize("changed", ["corpus/items/capitals.toml", "lora.py", "judge.py"])
def test_sources_that_matter_change_the_digest(tmp_path: Path, changed: str) -> None:
    path = tmp_path / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("one")
    before = lineage.code_digest("lora", tmp_path)
    path.write_text("two")
    assert lineage.code_digest("lora", tmp_path) != before


def test_every_source_named_for_a_kind_exists() -> None:
    named = {name for names in lineage.CODE.values() for name in names}
    assert sorted(name for name in named if not (lineage.PACKAGE / name).exists()) == []


def test_a_missing_tool_says_which_environment_to_use() -> None:
    with pytest.raises(Exception, match="is not installed here: run this with the models env"):
        lineage.tool_versions("quantize")


def test_a_model_as_it_was_made_is_verified(tmp_path: Path) -> None:
    folder = model(tmp_path / "reference", name="reference")
    assert lineage.verified(folder) == {
        "name": "reference",
        "digest": lineage.model_digest(folder),
    }


def test_a_model_changed_after_it_was_made_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "reference")
    (folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(LineageError, match="changed after it was made"):
        lineage.verified(folder)


def test_a_model_without_lineage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LineageError, match=r"no readable lineage\.json"):
        lineage.verified(tmp_path)


def test_an_adapter_made_from_another_base_is_refused(tmp_path: Path) -> None:
    base, other = model(tmp_path / "base"), model(tmp_path / "other")
    made_from = {"name": "base", "digest": lineage.model_digest(base)}
    adapter = model(tmp_path / "adapter", base=made_from)
    lineage.check_base(adapter, base)
    with pytest.raises(LineageError, match=r"made from base .* build it again from this base"):
        lineage.check_base(adapter, other)


def test_only_an_intact_model_of_the_same_key_is_current(tmp_path: Path) -> None:
    folder = model(tmp_path / "reference", key="k1")
    assert lineage.is_current(folder, "k1", None)
    assert not lineage.is_current(folder, "k2", None)
    assert not lineage.is_current(tmp_path / "absent", "k1", None)
    (folder / "model.safetensors").write_bytes(b"damaged")
    assert not lineage.is_current(folder, "k1", None)


def test_lineage_says_the_same_bytes_for_the_same_model(tmp_path: Path) -> None:
    first = model(tmp_path / "model", name="x", recipe={"b": 1, "a": 2})
    text = (first / "lineage.json").read_text()
    lineage.write_lineage(first, {"recipe": {"a": 2, "b": 1}, "name": "x"})
    assert (first / "lineage.json").read_text() == text
    assert list(json.loads(text)) == ["digest", "name", "recipe"]
