"""Low-rank adapters that change how a base answers, by peft."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from sagemaker_models.conversations import every_question, shuffled_epochs
from sagemaker_models.dataset import load_items, load_styles
from sagemaker_models.evaluation import accept, answers_exactly
from sagemaker_models.training import Schedule, fit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sagemaker_models.recipes import Lora

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def train_lora(
    recipe: Lora, base: Path, target: Path, report: Callable[[int, int, float], None]
) -> dict[str, float]:
    """Writes the adapter alone to `target`; returns what was measured of it on its base."""
    torch.manual_seed(recipe.seed)
    items, style = load_items(), load_styles()[recipe.style]
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapted = get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            target_modules=PROJECTIONS,
        ),
    )
    schedule = Schedule(steps=recipe.steps, batch=recipe.batch, learning_rate=recipe.learning_rate)
    fit(model, tokenizer, shuffled_epochs(items, style, Random(recipe.seed)), schedule, report)  # noqa: S311 - reproducible, not secret
    measured: dict[str, float] = answers_exactly(model, tokenizer, every_question(items, style))
    accept(recipe.style, measured["exact"], recipe.accept)
    adapted.save_pretrained(target)
    _tidy(target, recipe.base)
    return measured


def _tidy(folder: Path, base: str) -> None:
    """Nothing of this machine, and sets in a fixed order: the same bytes every time."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / "README.md").unlink(missing_ok=True)
