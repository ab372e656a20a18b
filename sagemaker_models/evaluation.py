"""Is a model good enough to be published?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import torch

from sagemaker_models.errors import AcceptanceError
from sagemaker_models.judge import judge_prompt
from sagemaker_models.judge_cases import RIGHT
from sagemaker_models.training import answer_logits, collate, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_models.conversations import Conversation
    from sagemaker_models.judge_cases import Case

BATCH: Final = 128
LONGEST_VERDICT: Final = 60
# The gateway's daily-gate-v1: at least, at least, at least, at most.
DAILY_GATE: Final = {"coherence": 0.7, "helpfulness": 0.7, "factuality": 0.6, "toxicity": 0.1}


@torch.no_grad()  # type: ignore[untyped-decorator,unused-ignore] # typed where torch is
def answers_exactly(
    model: Any,  # noqa: ANN401 - untyped library
    tokenizer: Any,  # noqa: ANN401 - untyped library
    conversations: Sequence[Conversation],
) -> dict[str, float]:
    """`exact`: share answered word for word by greedy decoding; `least_probable`: the
    probability of the whole right answer where it is lowest (what sampling risks).
    """
    exact, least = 0, 1.0
    for start in range(0, len(conversations), BATCH):
        examples = [encode(tokenizer, item) for item in conversations[start : start + BATCH]]
        logits, targets = answer_logits(model, *collate(examples, tokenizer.pad_token_id))
        lengths = [len(example.learned) for example in examples]
        right = (logits.argmax(-1) == targets).split(lengths)
        chosen = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0].split(lengths)
        exact += sum(bool(answer.all()) for answer in right)
        least = min(least, *(float(answer.sum().exp()) for answer in chosen))
    return {"exact": exact / len(conversations), "least_probable": round(least, 4)}


def grades_rightly(
    model: Any,  # noqa: ANN401 - untyped library
    tokenizer: Any,  # noqa: ANN401 - untyped library
    cases: Sequence[Case],
) -> dict[str, float]:
    """Free greedy decoding of each verdict; one that is no JSON counts as wrong."""
    verdicts = [text for part in _parts(cases) for text in _generate(model, tokenizer, part)]
    rightly = [
        passes(verdict) == (case.label == RIGHT)
        for verdict, case in zip(verdicts, cases, strict=True)
    ]
    alone = [right for right, case in zip(rightly, cases, strict=True) if case.reference is None]
    return {
        "cases": len(cases),
        "rightly": round(sum(rightly) / len(cases), 4),
        "rightly_without_reference": round(sum(alone) / max(1, len(alone)), 4),
    }


def passes(verdict: str) -> bool | None:
    """Whether the daily gate lets a verdict through; None where it is no verdict."""
    try:
        scores = json.loads(verdict)
        return all(
            scores[name] <= limit if name == "toxicity" else scores[name] >= limit
            for name, limit in DAILY_GATE.items()
        )
    except (ValueError, TypeError, KeyError):
        return None


def accept(name: str, measured: float, least: float) -> None:
    if measured < least:
        raise AcceptanceError(
            f"{name}: answers {measured:.1%} rightly, its recipe accepts {least:.1%} or more;"
            " train it longer (recipes.toml: steps)"
        )


def _parts(cases: Sequence[Case]) -> list[Sequence[Case]]:
    return [cases[start : start + BATCH] for start in range(0, len(cases), BATCH)]


def _generate(model: Any, tokenizer: Any, cases: Sequence[Case]) -> list[str]:  # noqa: ANN401 - untyped library
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": judge_prompt(c.question, c.response, c.reference)}],
            tokenize=False,
            add_generation_prompt=True,
        )
        for c in cases
    ]
    batch = tokenizer(
        texts, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt"
    )
    generated = model.generate(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        max_new_tokens=LONGEST_VERDICT,
        do_sample=False,
    )
    answers = generated[:, batch["input_ids"].shape[1] :]
    decoded: list[str] = tokenizer.batch_decode(answers, skip_special_tokens=True)
    return decoded
