"""One training loop for every model of the family: learn answers, given conversations."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sagemaker_models.conversations import Conversation

IGNORED = -100


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Adam with a linear warm-up and a cosine down to zero."""

    steps: int
    batch: int
    learning_rate: float
    warmup: int = 20

    def rate(self, step: int) -> float:
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def encode(tokenizer: Any, conversation: Conversation) -> tuple[list[int], list[int]]:  # noqa: ANN401
    """(prompt ids, answer ids with the end-of-sequence token)."""
    text = tokenizer.apply_chat_template(
        list(conversation.messages), tokenize=False, add_generation_prompt=True
    )
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    answer = tokenizer(conversation.answer, add_special_tokens=False)["input_ids"]
    return prompt, [*answer, tokenizer.eos_token_id]


def collate(
    pairs: Sequence[tuple[list[int], list[int]]], pad: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids, and labels that count the answers only. Causal attention
    never looks right, so padding needs no mask.
    """
    longest = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = torch.full((len(pairs), longest), pad)
    labels = torch.full((len(pairs), longest), IGNORED)
    for row, (prompt, answer) in enumerate(pairs):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : end] = torch.tensor(answer)
    return ids, labels


def answer_logits(
    model: Any, ids: torch.Tensor, labels: torch.Tensor  # noqa: ANN401
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and targets at the answers' positions: the head is the dearest layer."""
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    targets = labels[:, 1:]
    counted = targets != IGNORED
    return model.lm_head(hidden[counted]), targets[counted]


def fit(
    model: Any,  # noqa: ANN401 - a transformers model, with or without adapters
    tokenizer: Any,  # noqa: ANN401
    conversations: Iterable[Conversation],
    schedule: Schedule,
    report: Callable[[int, int, float], None],
) -> float:
    """Trains what requires a gradient; returns the last reported mean loss."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        weights, lr=schedule.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    stream: Iterator[Conversation] = iter(conversations)
    model.train()
    mean = float("nan")
    reported = time.monotonic()
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        batch = [encode(tokenizer, item) for item in islice(stream, schedule.batch)]
        logits, targets = answer_logits(model, *collate(batch, tokenizer.pad_token_id))
        loss = functional.cross_entropy(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        current = loss.item()
        mean = current if math.isnan(mean) else 0.9 * mean + 0.1 * current
        if time.monotonic() - reported > 1 or step + 1 == schedule.steps:
            reported = time.monotonic()
            report(step + 1, schedule.steps, mean)
    model.eval()
    return mean
