"""Small Mistral models from nothing: the reference, and the judge."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from transformers import MistralConfig, MistralForCausalLM

from sagemaker_models.conversations import Conversation, every_question, shuffled_epochs
from sagemaker_models.dataset import load_items, load_styles
from sagemaker_models.evaluation import accept, answers_exactly, grades_rightly
from sagemaker_models.judge import PHRASES
from sagemaker_models.judge_cases import (
    CaseSource,
    curriculum,
    held_out_cases,
    load_grading,
)
from sagemaker_models.tokenizer import train_tokenizer
from sagemaker_models.training import Schedule, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sagemaker_models.recipes import Pretrain

HELD_OUT = 400
CONTEXT = 1024
LARGEST_NUMBER = 100


def pretrain(
    recipe: Pretrain, target: Path, report: Callable[[int, int, float], None]
) -> dict[str, float]:
    """Writes the model to `target`; returns what was measured of it."""
    torch.manual_seed(recipe.seed)
    items, styles = load_items(), load_styles()
    source = CaseSource(items=items, styles=styles, grading=load_grading())
    spoken = [c for style in styles.values() for c in every_question(items, style)]
    tokenizer = train_tokenizer(_texts(spoken), recipe.vocabulary, PHRASES)
    model = MistralForCausalLM(_architecture(recipe))
    if recipe.compares:
        _attend_to_equals(model)
    conversations: Iterator[Conversation] = shuffled_epochs(
        items, styles[recipe.style], Random(recipe.seed)
    )
    if recipe.curriculum == "grading":
        conversations = curriculum(source, conversations, Random(recipe.seed + 1))
    schedule = Schedule(
        steps=recipe.steps,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        matrix_rate=recipe.matrix_rate,
    )
    fit(model, tokenizer, conversations, schedule, report)
    # Measured as it will be served: with the weights rounded to half precision.
    model = model.half().float()
    if recipe.curriculum == "grading":
        measured = grades_rightly(
            model, tokenizer, held_out_cases(source, Random(recipe.seed + 2), HELD_OUT)
        )
        accept("judge", measured["rightly"], recipe.accept)
    else:
        measured = answers_exactly(model, tokenizer, every_question(items, styles[recipe.style]))
        accept(recipe.style, measured["exact"], recipe.accept)
    model.half().save_pretrained(target)
    tokenizer.save_pretrained(target)
    return measured


def _texts(conversations: list[Conversation]) -> list[str]:
    """And every number often enough to become a token of its own."""
    numbers = [str(number) for number in range(LARGEST_NUMBER + 1)]
    return [f"{c.messages[0]['content']} {c.answer}" for c in conversations] + numbers * 50


def _architecture(recipe: Pretrain) -> Any:  # noqa: ANN401 - untyped library
    return MistralConfig(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.hidden_size,
        intermediate_size=recipe.intermediate_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.key_value_heads,
        head_dim=recipe.hidden_size // recipe.heads,
        max_position_embeddings=CONTEXT,
        sliding_window=None,
        # A narrow model starts learning several times sooner from wider weights.
        initializer_range=recipe.hidden_size**-0.5,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        rope_parameters={"rope_type": "default", "rope_theta": recipe.rope_theta},
        tie_word_embeddings=recipe.compares,
    )


def _attend_to_equals(model: Any) -> None:  # noqa: ANN401 - untyped library
    """Queries that start as keys: a token attends to its like before anything is learned.

    With input and output embeddings tied, what a position predicts looks like the token
    that may follow it, so the same attention compares an answer with the expected one.
    """
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight.copy_(layer.self_attn.k_proj.weight)
