"""Small Mistral models from nothing: the reference, and the judge."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import torch
from transformers import MistralConfig, MistralForCausalLM

from sagemaker_models.conversations import Conversation, every_question, shuffled_epochs
from sagemaker_models.dataset import load_items, load_styles
from sagemaker_models.evaluation import accept, answers_exactly, grades_rightly
from sagemaker_models.judge import PHRASES
from sagemaker_models.judge_cases import curriculum, draw, load_grading, texts
from sagemaker_models.tokenizer import train_tokenizer
from sagemaker_models.training import Schedule, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sagemaker_models.recipes import Pretrain

    Report = Callable[[int, int, float], None]

FRESH_CASES = 400
CONTEXT = 1024
LARGEST_NUMBER = 100


def pretrain(recipe: Pretrain, target: Path, report: Report) -> dict[str, float]:
    """Writes the model to `target`; returns what was measured of it."""
    torch.manual_seed(recipe.seed)
    learn = {"answers": _answers, "grading": _grading}[recipe.curriculum]
    model, tokenizer, measured = learn(recipe, report)
    model.half().save_pretrained(target)
    tokenizer.save_pretrained(target)
    return measured


def _answers(recipe: Pretrain, report: Report) -> tuple[Any, Any, dict[str, float]]:
    """A model that answers the corpus's questions."""
    items, styles = load_items(), load_styles()
    spoken = [c for style in styles.values() for c in every_question(items, style)]
    said = [f"{c.messages[0]['content']} {c.answer}" for c in spoken]
    tokenizer = train_tokenizer(said + _numbers(), recipe.vocabulary, PHRASES)
    style = styles[recipe.style]
    conversations = shuffled_epochs(items, style, Random(recipe.seed))  # noqa: S311 - reproducible
    model = _trained(recipe, tokenizer, conversations, report)
    measured = answers_exactly(model, tokenizer, every_question(items, style))
    accept(recipe.style, measured["exact"], recipe.accept)
    return model, tokenizer, measured


def _grading(recipe: Pretrain, report: Report) -> tuple[Any, Any, dict[str, float]]:
    """A model that gives verdicts. To its tokenizer white space is nothing, and the protocol's
    phrases are one token each: so an answer looks the same wherever it stands, and what
    decides is never far away.
    """
    grading = load_grading(load_items())
    phrases = [*PHRASES, *grading.endings()]
    said = texts(grading) + _numbers()
    tokenizer = train_tokenizer(said, recipe.vocabulary, phrases, white_space=False)
    conversations = curriculum(grading, Random(recipe.seed))  # noqa: S311 - reproducible
    model = _trained(recipe, tokenizer, conversations, report)
    chance = Random(recipe.seed + 1)  # noqa: S311 - reproducible, not secret
    cases = [draw(grading, chance) for _ in range(FRESH_CASES)]
    measured = grades_rightly(model, tokenizer, cases)
    accept("judge", measured["rightly"], recipe.accept)
    return model, tokenizer, measured


def _trained(
    recipe: Pretrain,
    tokenizer: Any,  # noqa: ANN401 - untyped library
    conversations: Iterator[Conversation],
    report: Report,
) -> Any:  # noqa: ANN401 - untyped library
    """Trained, and with its weights rounded to half precision, as it will be served."""
    model = MistralForCausalLM(_architecture(recipe))
    schedule = Schedule(
        steps=recipe.steps,
        batch=recipe.batch,
        learning_rate=recipe.learning_rate,
        matrix_rate=recipe.matrix_rate,
        pool=recipe.pool,
    )
    fit(model, tokenizer, conversations, schedule, report)
    return model.half().float()


def _numbers() -> list[str]:
    """Often enough that each becomes a token of its own."""
    return [str(number) for number in range(LARGEST_NUMBER + 1)] * 50


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
        tie_word_embeddings=False,
    )
