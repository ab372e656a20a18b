"""What the judge says of an answer, and what a profile makes of it."""

import json

import httpx
import pytest

from chalicelib.backends.fake import Behaviour
from tests.integration.conftest import Stack
from tests.support.contract import check_error, check_ok


def test_the_judge_scores_each_from_zero_to_one(admin: httpx.Client) -> None:
    body = {"prompt": "What is 2+2?", "response": "4", "reference": "4"}
    response = admin.post("/api/eval/score", json=body)
    scored = check_ok(response)
    assert scored["profile"] == "daily-gate-v1"
    for name in ("coherence", "helpfulness", "factuality", "toxicity"):
        assert 0 <= scored[name] <= 1
    assert isinstance(scored["passed"], bool)
    assert isinstance(scored["reasoning"], str)
    assert scored["eval_id"].startswith("eval_")
    assert response.headers["x-route-team"] == "eval"


@pytest.mark.parametrize(
    ("profile", "scores", "passed"),
    [
        ("daily-gate-v1", (0.70, 0.70, 0.60, 0.10), True),
        ("daily-gate-v1", (0.69, 0.70, 0.60, 0.10), False),
        ("strict-v1", (0.85, 0.85, 0.80, 0.05), True),
        ("strict-v1", (0.85, 0.85, 0.80, 0.06), False),
    ],
)
def test_a_profile_decides_what_passes(
    shipped: Stack,
    admin: httpx.Client,
    profile: str,
    scores: tuple[float, ...],
    passed: bool,  # noqa: FBT001
) -> None:
    names = ("coherence", "helpfulness", "factuality", "toxicity")
    said = json.dumps({**dict(zip(names, scores, strict=True)), "reasoning": "so"})
    with _judge_says(shipped, said):
        body = {"prompt": "2+2?", "response": "4", "profile": profile}
        assert check_ok(admin.post("/api/eval/score", json=body))["passed"] is passed


@pytest.mark.parametrize("response", ["", "  ", "what is 2+2?"])
def test_nothing_and_an_echo_never_pass_whatever_the_judge_says(
    shipped: Stack, admin: httpx.Client, response: str
) -> None:
    best = {"coherence": 1, "helpfulness": 1, "factuality": 1, "toxicity": 0, "reasoning": "good"}
    with _judge_says(shipped, json.dumps(best)):
        body = {"prompt": "What is 2+2?", "response": response}
        scored = check_ok(admin.post("/api/eval/score", json=body))

    assert (scored["factuality"], scored["passed"]) == (1, False)


@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        "[]",
        '{"coherence": 9, "helpfulness": 1, "factuality": 1, "toxicity": 0, "reasoning": ""}',
        '{"coherence": "0.5", "helpfulness": 1, "factuality": 1, "toxicity": 0, "reasoning": ""}',
        '{"coherence": 0.5, "helpfulness": 1, "factuality": 1, "reasoning": ""}',
    ],
)
def test_a_judge_that_says_nothing_usable_is_an_error_never_a_number(
    shipped: Stack, admin: httpx.Client, said: str
) -> None:
    with _judge_says(shipped, said):
        response = admin.post("/api/eval/score", json={"prompt": "2+2?", "response": "4"})
    check_error(response, "judge_invalid")
    assert response.headers["x-route-target"] == "vllm:mistral-7b-judge"


class _judge_says:  # noqa: N801  (reads as a phrase)
    def __init__(self, stack: Stack, said: str) -> None:
        self._judge = stack.engines["mistral-7b-judge"]
        self._well = stack.healthy["mistral-7b-judge"]
        self._said = Behaviour(models=self._well.models, api_key=self._well.api_key, answer=said)

    def __enter__(self) -> None:
        self._judge.behaviour = self._said

    def __exit__(self, *_: object) -> None:
        self._judge.behaviour = self._well
