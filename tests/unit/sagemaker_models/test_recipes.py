from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sagemaker_models.dataset import load_styles
from sagemaker_models.errors import RecipeError
from sagemaker_models.recipes import RECIPES, Lora, load_family

if TYPE_CHECKING:
    from pathlib import Path


def test_the_tiny_family_has_what_the_engines_serve_bases_first() -> None:
    family = load_family("tiny")
    assert set(family) == {"reference", "awq", "lora-v1", "lora-v2", "judge"}
    names = list(family)
    assert all(
        recipe.base is None or names.index(recipe.base) < names.index(name)
        for name, recipe in family.items()
    )


def test_every_recipe_speaks_a_style_of_the_corpus() -> None:
    assert {recipe.style for recipe in load_family("tiny").values()} <= load_styles().keys()


def test_adapters_fit_the_engines_highest_rank() -> None:
    ranks = [recipe.rank for recipe in load_family("tiny").values() if isinstance(recipe, Lora)]
    assert ranks
    assert max(ranks) <= 32


def test_weights_divide_into_groups_of_128() -> None:
    sizes = [
        size
        for recipe in load_family("tiny").values()
        for key in ("hidden_size", "intermediate_size")
        if (size := getattr(recipe, key, None)) is not None
    ]
    assert sizes
    assert [size for size in sizes if size % 128] == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('kind = "quantize"', 'kind = "shrink"', "'shrink' is none of pretrain, quantize, lora"),
        ("samples = ", "sample = ", r"\[tiny\.awq\] sample: unknown key"),
        ("max_length = 128", "", r"\[tiny\.awq\] lacks max_length"),
        ("samples = 128", 'samples = "many"', "samples: 'many' is no int"),
        ("samples = 128", "samples = true", "samples: True is no int"),
        ('curriculum = "grading"', 'curriculum = "x"', "'x' is none of answers, grading"),
        ('base = "reference"', 'base = "awq"', "'awq' is no full model of the family"),
        ('base = "reference"', 'base = "nobody"', "'nobody' is no full model of the family"),
        ("[tiny.awq]", "[tiny.awq", "recipes.toml"),
    ],
)
def test_a_bad_recipe_is_named_with_what_is_allowed(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    path = tmp_path / "recipes.toml"
    path.write_text(RECIPES.read_text().replace(old, new, 1))
    with pytest.raises(RecipeError, match=complaint):
        load_family("tiny", path)


def test_an_unknown_family_lists_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r"no family 'huge' \(there are: tiny"):
        load_family("huge")
