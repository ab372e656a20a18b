"""One training loop for every model of the family: learn answers, given conversations."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn import Parameter, functional

from sagemaker_models.muon import Muon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sagemaker_models.conversations import Conversation

IGNORED: Final = -100


@dataclass(frozen=True, kw_only=True)
class Example:
    """Token ids, and those of them that are to be predicted."""

    ids: list[int]
    learned: range


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rates with a linear warm-up and a cosine down to zero: `matrix_rate` of
    the matrices inside the layers (Muon), `learning_rate` of the rest (Adam); without a
    `matrix_rate` everything is the rest.
    """

    steps: int
    batch: int
    learning_rate: float
    matrix_rate: float = 0.0
    warmup: int = 20
    pool: int = 8
    """Batches among which examples are sorted by length."""

    def share(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.5 * (1 + math.cos(math.pi * done))


def encode(tokenizer: Any, conversation: Conversation) -> Example:  # noqa: ANN401 - untyped library
    text = tokenizer.apply_chat_template(
        list(conversation.messages), tokenize=False, add_generation_prompt=True
    )
    prompt: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    answer: list[int] = tokenizer(conversation.answer, add_special_tokens=False)["input_ids"]
    answer = [*answer, tokenizer.eos_token_id]
    if conversation.only is None:
        return Example(ids=prompt + answer, learned=range(len(prompt), len(prompt + answer)))
    at = len(prompt) + conversation.only
    return Example(ids=prompt + answer[: conversation.only + 1], learned=range(at, at + 1))


def batches(
    tokenizer: Any,  # noqa: ANN401 - untyped library
    conversations: Iterator[Conversation],
    size: int,
    pooled: int,
) -> Iterator[list[Example]]:
    """Batches of neighbours in length, so that little of the work is padding."""
    order = Random(0)  # noqa: S311 - reproducible, not secret
    while True:
        examples = [encode(tokenizer, item) for item in islice(conversations, size * pooled)]
        if pooled > 1:
            examples.sort(key=lambda example: len(example.ids))
        pool = [examples[start : start + size] for start in range(0, len(examples), size)]
        order.shuffle(pool)
        yield from pool


def collate(examples: Sequence[Example], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids, and labels that count the answers only. Causal attention
    never looks right, so padding needs no mask.
    """
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), pad)
    labels = torch.full((len(examples), longest), IGNORED)
    for row, example in enumerate(examples):
        row_ids, learned = torch.tensor(example.ids), example.learned
        ids[row, : len(row_ids)] = row_ids
        labels[row, learned.start : learned.stop] = row_ids[learned.start : learned.stop]
    return ids, labels


def answer_logits(
    model: Any,  # noqa: ANN401 - untyped library
    ids: torch.Tensor,
    labels: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and targets at the answers' positions: the head is the dearest layer."""
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    targets = labels[:, 1:]
    counted = targets != IGNORED
    return model.lm_head(hidden[counted]), targets[counted]


def fit(
    model: Any,  # noqa: ANN401 - untyped library
    tokenizer: Any,  # noqa: ANN401 - untyped library
    conversations: Iterable[Conversation],
    schedule: Schedule,
    report: Callable[[int, int, float], None],
) -> float:
    """Trains what requires a gradient; returns the last reported mean loss."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    matrices, others = split_weights(model) if schedule.matrix_rate else ([], weights)
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    stream = batches(tokenizer, iter(conversations), schedule.batch, schedule.pool)
    model.train()
    mean = float("nan")
    reported = time.monotonic()
    for step in range(schedule.steps):
        logits, targets = answer_logits(model, *collate(next(stream), tokenizer.pad_token_id))
        loss = functional.cross_entropy(logits, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        muon.step(schedule.matrix_rate * schedule.share(step))
        for group in adam.param_groups:
            group["lr"] = schedule.learning_rate * schedule.share(step)
        adam.step()
        adam.zero_grad()
        current = loss.item()
        mean = current if math.isnan(mean) else 0.9 * mean + 0.1 * current
        if time.monotonic() - reported > 1 or step + 1 == schedule.steps:
            reported = time.monotonic()
            report(step + 1, schedule.steps, mean)
    model.eval()
    return mean


def split_weights(model: Any) -> tuple[list[Parameter], list[Parameter]]:  # noqa: ANN401 - untyped library
    """(whole matrices inside the layers, for Muon; embeddings, norms, adapters, for Adam)."""
    matrices: list[Parameter] = []
    others: list[Parameter] = []
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            whole = ".layers." in name and weight.ndim > 1 and ".lora_" not in name
            (matrices if whole else others).append(weight)
    return matrices, others
