"""What a model was made from, written beside it and checked before it is built upon.

`key` is known before the work (recipe, corpus, code, tools, the base's key) and
decides whether a model is up to date; `digest` is known after it (the files' bytes)
and proves that a base is the one an adapter or a quantized copy was made from.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sagemaker_models.errors import LineageError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sagemaker_models.recipes import Family

LINEAGE: Final = "lineage.json"
PACKAGE: Final = Path(__file__).parent
_CORPUS: Final = ("corpus", "dataset.py", "conversations.py", "judge.py", "chat_template.jinja")
CODE: Final[Mapping[str, tuple[str, ...]]] = {
    "pretrain": (
        *("pretrain.py", "tokenizer.py", "training.py", "muon.py"),
        *("judge_cases.py", "evaluation.py"),
        *_CORPUS,
    ),
    "quantize": ("quantize.py", "training.py", "muon.py", "evaluation.py", *_CORPUS),
    "lora": ("lora.py", "training.py", "muon.py", "evaluation.py", *_CORPUS),
}
TOOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "pretrain": ("torch", "transformers", "tokenizers", "safetensors"),
    "quantize": ("torch", "transformers", "llmcompressor", "compressed-tensors"),
    "lora": ("torch", "transformers", "peft"),
}


def digest_files(root: Path, paths: Iterable[Path]) -> str:
    """SHA-256 over names (relative to root) and contents, whatever the order given."""
    total = hashlib.sha256()
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def model_digest(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LINEAGE]
    return digest_files(folder, files)


def tool_versions(kind: str) -> dict[str, str]:
    try:
        return {tool: version(tool) for tool in TOOLS[kind]}
    except PackageNotFoundError as error:
        raise RecipeError(
            f"{error.name} is not installed here: run this with the models environment"
            " (.venvs/models/bin/python, made from requirements/models.txt)"
        ) from error


def code_digest(kind: str, package: Path = PACKAGE) -> str:
    """Of the sources and the corpus that a model of this kind depends on."""
    named = [package / name for name in CODE[kind]]
    files = [path for path in named if path.is_file()]
    files += [path for folder in named for path in folder.rglob("*.toml")]
    return digest_files(package, files)


def inputs(
    family: Family, name: str, versions: Callable[[str], dict[str, str]] = tool_versions
) -> dict[str, Any]:
    """Everything that decides what model `name` becomes, as its lineage records it."""
    recipe = family[name]
    return {
        "recipe": asdict(recipe),
        "sources": code_digest(recipe.kind),
        "tools": versions(recipe.kind),
        "base_key": None
        if recipe.base is None
        else cache_key(inputs(family, recipe.base, versions)),
    }


def cache_key(made_from: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def read_lineage(folder: Path) -> dict[str, Any] | None:
    """None where there is none (or none that can be read)."""
    try:
        lineage = json.loads((folder / LINEAGE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return lineage if isinstance(lineage, dict) else None


def write_lineage(folder: Path, lineage: Mapping[str, Any]) -> None:
    recorded = {**lineage, "digest": model_digest(folder)}
    text = json.dumps(recorded, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / LINEAGE).write_text(text + "\n", encoding="utf-8")


def verified(folder: Path) -> dict[str, Any]:
    """The model's lineage, if its files are still those it speaks of."""
    lineage = read_lineage(folder)
    if lineage is None:
        raise LineageError(f"{folder}: no readable {LINEAGE}; build the model again")
    found = model_digest(folder)
    if lineage.get("digest") != found:
        raise LineageError(
            f"{folder}: the files' digest is {found[:12]}, {LINEAGE} says"
            f" {str(lineage.get('digest'))[:12]}: changed after it was made; build it again"
        )
    return lineage


def check_base(folder: Path, base: Path) -> None:
    """Refuse a model whose base is not, byte for byte, the one it was made from."""
    made_from = verified(folder).get("base")
    if made_from is None:
        return
    found = verified(base)["digest"]
    if made_from["digest"] != found:
        raise LineageError(
            f"{folder}: made from {made_from['name']} {made_from['digest'][:12]}, but"
            f" {base} is {found[:12]}; build it again from this base"
        )


def is_current(folder: Path, key: str, base: Path | None) -> bool:
    """Whether the model there needs no building: same inputs, intact files, same base."""
    lineage = read_lineage(folder)
    if lineage is None or lineage.get("key") != key:
        return False
    try:
        if base is not None:
            check_base(folder, base)
        else:
            verified(folder)
    except LineageError:
        return False
    return True
