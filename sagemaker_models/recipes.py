"""How each model of a family is made: recipes.toml as frozen dataclasses."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Final

from sagemaker_models.errors import RecipeError

RECIPES: Final = Path(__file__).with_name("recipes.toml")


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """A MistralForCausalLM from nothing. `curriculum`: answers, or grading for a judge.

    `pool`: batches among which examples are sorted by length, which saves padding; 1 sorts none.
    """

    kind: str
    curriculum: str
    style: str
    seed: int
    vocabulary: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    key_value_heads: int
    steps: int
    batch: int
    pool: int
    learning_rate: float
    matrix_rate: float
    accept: float
    base: None = None


@dataclass(frozen=True, kw_only=True)
class Quantize:
    """The base in fewer bits, calibrated on `samples` conversations of the corpus."""

    kind: str
    base: str
    style: str
    scheme: str
    ignore: list[str]
    samples: int
    max_length: int
    accept: float


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A low-rank adapter that makes the base answer in `style`."""

    kind: str
    base: str
    style: str
    seed: int
    rank: int
    alpha: int
    steps: int
    batch: int
    learning_rate: float
    accept: float


Recipe = Pretrain | Quantize | Lora
Family = dict[str, Recipe]

KINDS: Final[dict[str, type[Recipe]]] = {"pretrain": Pretrain, "quantize": Quantize, "lora": Lora}
CURRICULA: Final = ("answers", "grading")
TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "list[str]": list,
}


def load_family(name: str, path: Path = RECIPES) -> Family:
    """The recipes of one family, bases before what is made from them."""
    try:
        families = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path}: {error}") from error
    if name not in families:
        raise RecipeError(f"{path.name}: no family {name!r} (there are: {', '.join(families)})")
    family = {
        model: _recipe(f"{path.name}: [{name}.{model}]", table)
        for model, table in families[name].items()
    }
    for model, recipe in family.items():
        if recipe.base is not None and not isinstance(family.get(recipe.base), Pretrain):
            raise RecipeError(
                f"{path.name}: [{name}.{model}] base: {recipe.base!r} is no full model"
                f" of the family (it has: {', '.join(family)})"
            )
    return dict(sorted(family.items(), key=lambda entry: entry[1].base is not None))


def _recipe(where: str, table: dict[str, Any]) -> Recipe:
    kind = KINDS.get(table.get("kind", ""))
    if kind is None:
        raise RecipeError(f"{where} kind: {table.get('kind')!r} is none of {', '.join(KINDS)}")
    known = {field.name: field for field in fields(kind) if field.type in TYPES}
    for key, value in table.items():
        if key not in known:
            raise RecipeError(f"{where} {key}: unknown key (allowed: {', '.join(known)})")
        if not isinstance(value, TYPES[str(known[key].type)]) or isinstance(value, bool):
            raise RecipeError(f"{where} {key}: {value!r} is no {known[key].type}")
    missing = [k for k, field in known.items() if k not in table and field.default is MISSING]
    if missing:
        raise RecipeError(f"{where} lacks {', '.join(missing)}")
    if table.get("curriculum", "answers") not in CURRICULA:
        raise RecipeError(
            f"{where} curriculum: {table['curriculum']!r} is none of {', '.join(CURRICULA)}"
        )
    return kind(**table)
