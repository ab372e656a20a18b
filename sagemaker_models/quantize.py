"""4-bit weights of a base, by llm-compressor's AWQ."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import QuantizationModifier
from llmcompressor.modifiers.transform.awq import AWQModifier
from llmcompressor.pipelines.cache import IntermediatesCache
from transformers import AutoModelForCausalLM, AutoTokenizer

from sagemaker_models.conversations import every_question
from sagemaker_models.dataset import load_items, load_styles
from sagemaker_models.evaluation import accept, answers_exactly
from sagemaker_models.training import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sagemaker_models.conversations import Conversation
    from sagemaker_models.recipes import Quantize


def quantize(
    recipe: Quantize, base: Path, target: Path, say: Callable[[str], None]
) -> dict[str, float]:
    """Writes the quantized model to `target`; returns what was measured of it."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    conversations = every_question(load_items(), load_styles()[recipe.style])
    say(f"calibrating on {recipe.samples} conversations")
    with _no_pinning_without_accelerator():
        oneshot(
            model=model,
            dataset=_calibration(tokenizer, conversations, recipe),
            recipe=[
                AWQModifier(),
                QuantizationModifier(
                    targets=["Linear"], scheme=recipe.scheme, ignore=recipe.ignore
                ),
            ],
            max_seq_length=recipe.max_length,
            num_calibration_samples=recipe.samples,
            # Shuffling draws from an unseeded generator: other bytes every time.
            shuffle_calibration_samples=False,
        )
    measured: dict[str, float] = answers_exactly(model.float(), tokenizer, conversations)
    accept(recipe.scheme, measured["exact"], recipe.accept)
    model.half().save_pretrained(target, save_compressed=True)
    tokenizer.save_pretrained(target)
    return measured


def _calibration(
    tokenizer: Any,  # noqa: ANN401 - untyped library
    conversations: Sequence[Conversation],
    recipe: Quantize,
) -> Any:  # noqa: ANN401 - untyped library
    """Evenly spread over the corpus, so that each kind of answer has its part."""
    stride = max(1, len(conversations) // recipe.samples)
    chosen = conversations[::stride][: recipe.samples]
    ids = [encode(tokenizer, conversation).ids[: recipe.max_length] for conversation in chosen]
    return Dataset.from_list([{"input_ids": row, "attention_mask": [1] * len(row)} for row in ids])


@contextmanager
def _no_pinning_without_accelerator() -> Iterator[None]:
    """AWQ's cache pins memory for copies to a device, and fails where there is none."""
    original = IntermediatesCache.pin_memory
    if not torch.accelerator.is_available():
        IntermediatesCache.pin_memory = lambda *_args, **_kwargs: None
    try:
        yield
    finally:
        IntermediatesCache.pin_memory = original
