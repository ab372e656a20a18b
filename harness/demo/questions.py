"""What the demo asks, and what must be in the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SUM: Final = "What is 2+2?"
GREEDY: Final = {"temperature": 0, "max_tokens": 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    key: str
    """The team whose key is used."""
    path: str
    body: Mapping[str, Any]
    contains: str = ""
    """What the answer must hold."""


def _predict(team: str, *, key: str = "", **body: str) -> Question:
    return Question(
        key=key or team,
        path=f"/api/{team}/predict",
        body={"prompt": SUM, **GREEDY, **body},
        contains="4",
    )


PREDICTIONS: Final = (
    _predict("quant"),
    _predict("finetune", session_id="demo"),
    _predict("finetune", variant="lora-v1"),
    _predict("finetune", variant="lora-v2"),
    _predict("reference", key="quant"),
)

CHAT: Final = Question(
    key="finetune",
    path="/v1/chat/completions",
    body={
        "model": "finetune",
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "user": "demo",
        **GREEDY,
    },
    contains="Paris",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer and whether the judge must let it pass."""

    response: str
    good: bool

    @property
    def question(self) -> Question:
        return Question(
            key="eval", path="/api/eval/score", body={"prompt": SUM, "response": self.response}
        )


JUDGED: Final = (Judged(response="4", good=True), Judged(response="banana", good=False))


def of_session(number: int) -> Question:
    """The same sessions every time: with the same weights they are dealt the same variants."""
    return _predict("finetune", session_id=f"demo-{number:04d}")
