"""Make one model and its lineage (imports torch)."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import torch
import transformers

from sagemaker_models.lineage import inputs, verified, write_lineage
from sagemaker_models.publish import staged
from sagemaker_models.recipes import Lora, Pretrain, Quantize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sagemaker_models.recipes import Family


class Progress:
    """One line every few seconds: step, loss, time left."""

    def __init__(self, say: Callable[[str], None], every: float = 5.0) -> None:
        self._say = say
        self._every = every
        self._started = self._said = time.monotonic()

    def __call__(self, step: int, steps: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._said < self._every:
            return
        self._said = now
        left = (now - self._started) / step * (steps - step)
        self._say(f"step {step}/{steps}  loss {loss:.4f}  about {left:.0f} s left")


def make(
    family: Family, name: str, key: str, out: Path, say: Callable[[str], None]
) -> dict[str, float]:
    """Publishes `out/name`; returns what was measured of it."""
    _quiet()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    recipe = family[name]
    progress = Progress(say)
    base = None if recipe.base is None else out / recipe.base
    made_from = None
    if base is not None:
        made_from = {"name": recipe.base, "digest": verified(base)["digest"]}
    with staged(out / name) as target:
        match recipe, base:
            case Pretrain(), None:
                from sagemaker_models.pretrain import pretrain  # noqa: PLC0415 - torch takes seconds to import

                evaluation = pretrain(recipe, target, progress)
            case Quantize(), base_folder if base_folder is not None:
                from sagemaker_models.quantize import quantize  # noqa: PLC0415 - torch takes seconds to import

                evaluation = quantize(recipe, base_folder, target, say)
            case Lora(), base_folder if base_folder is not None:
                from sagemaker_models.lora import train_lora  # noqa: PLC0415 - torch takes seconds to import

                evaluation = train_lora(recipe, base_folder, target, progress)
            case _:
                raise AssertionError(recipe)
        write_lineage(
            target,
            {
                "name": name,
                "key": key,
                "base": made_from,
                "evaluation": evaluation,
                **inputs(family, name),
            },
        )
    return evaluation


def _quiet() -> None:
    """The libraries' own bars and banners would drown ours."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("compressed_tensors").setLevel(logging.ERROR)
    os.environ["TQDM_DISABLE"] = "1"
