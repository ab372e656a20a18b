"""A gateway with a judge behind it that does as it is told, and nothing else."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from harness.__main__ import cli
from tests.support.http_server import Answered, Asked, serving

KEY: Final = "llmo_test_key"
_TEXT: Final = re.compile(
    r"<(?P<name>QUESTION|ANSWER A|ANSWER B) (\w+)>\n(.*?)\n</(?P=name) \2>", re.DOTALL
)
GOOD: Final = {
    "coherence": 0.95,
    "helpfulness": 0.9,
    "factuality": 0.9,
    "toxicity": 0.0,
    "reasoning": "fine",
}
BAD: Final = {**GOOD, "helpfulness": 0.1, "factuality": 0.05, "reasoning": "wrong"}

Score = Callable[[Mapping[str, Any]], Answered]
"""What was sent to /api/eval/score -> the answer."""
Prefer = Callable[[str, str, str], str]
"""Question, first and second answer -> what the model says."""


def scores(document: Mapping[str, Any], profile: str = "daily-gate-v1") -> Answered:
    passed = document["helpfulness"] >= 0.7 and document["toxicity"] <= 0.1
    body = {**document, "passed": passed, "profile": profile, "eval_id": "eval_1"}
    return Answered(body=json.dumps(body).encode())


def error(status: int, code: str) -> Answered:
    told = {"message": "so it is", "type": "t", "code": code, "param": None, "correlation_id": "c"}
    return Answered(status=status, body=json.dumps({"error": told}).encode())


def says(winner: str) -> str:
    return json.dumps({"winner": winner})


def knowing(right: Callable[[str], bool]) -> tuple[Score, Prefer]:
    """A sound judge: knows right from wrong, and prefers neither of two alike."""

    def score(body: Mapping[str, Any]) -> Answered:
        return scores(GOOD if right(body["response"]) else BAD, body["profile"])

    def prefer(_question: str, first: str, second: str) -> str:
        if right(first) is right(second):
            return says("tie")
        return says("A" if right(first) else "B")

    return score, prefer


@contextmanager
def judging(score: Score | None = None, prefer: Prefer | None = None) -> Iterator[str]:
    """The gateway's address. It takes KEY only."""

    def answer(asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return error(401, "invalid_key")
        if asked.path == "/api/eval/score" and score:
            return score(json.loads(asked.body))
        if asked.path == "/v1/chat/completions" and prefer:
            content = json.loads(asked.body)["messages"][0]["content"]
            texts = [text for _, _, text in _TEXT.findall(content)]
            choice = {"message": {"content": prefer(*texts)}, "finish_reason": "stop"}
            return Answered(body=json.dumps({"choices": [choice]}).encode())
        return error(404, "not_found")

    with serving(answer) as url:
        yield url


def command(*arguments: str) -> int:
    """A command of the harness in this process: its exit code. Raises what it raises."""
    return int(cli.main(list(arguments), standalone_mode=False) or 0)


def json_of(path: Path) -> Any:  # noqa: ANN401  # JSON
    return json.loads(path.read_bytes())
