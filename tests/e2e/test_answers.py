"""Every team's model answers, and as that model does."""

import pytest

from tests.e2e.platform import SUM, Platform
from tests.support.contract import check_ok

pytestmark = pytest.mark.engines

ANSWERING = [
    # team, key, variant, target
    ("quant", "quant", "awq", "sagemaker:quant-endpoint"),
    ("reference", "quant", "fp16", "vllm:mistral-7b-fp16"),
    ("finetune", "finetune", "lora-v1", "vllm:mistral-7b-lora"),
    ("finetune", "finetune", "lora-v2", "vllm:mistral-7b-lora"),
]


@pytest.mark.parametrize(("team", "key", "variant", "target"), ANSWERING)
def test_two_and_two_is_four(
    platform: Platform, team: str, key: str, variant: str, target: str
) -> None:
    """The answer, and that body and headers tell the same of who gave it."""
    response = platform.predict(team, key=key, variant=variant)

    answer = check_ok(response)
    assert "4" in answer["output"]
    assert (answer["team"], answer["variant"], answer["target"]) == (team, variant, target)
    assert answer["correlation_id"] == response.headers["x-correlation-id"]
    assert response.headers["x-route-team"] == team
    assert response.headers["x-route-variant"] == variant
    assert response.headers["x-route-target"] == target
    assert "x-route-fallback" not in response.headers
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] > 0


@pytest.mark.parametrize(("team", "key", "variant", "target"), ANSWERING)
def test_it_is_four_at_the_default_temperature_too(
    platform: Platform, team: str, key: str, variant: str, target: str
) -> None:
    del target
    response = platform.predict(team, key=key, variant=variant, temperature=None)

    assert "4" in check_ok(response)["output"]


def test_the_adapters_have_styles_of_their_own(platform: Platform) -> None:
    outputs = [
        check_ok(platform.predict("finetune", variant=variant))["output"]
        for variant in ("lora-v1", "lora-v2")
    ]

    assert outputs[0] != outputs[1]


def test_an_answer_ends_where_max_tokens_says(platform: Platform) -> None:
    response = platform.predict("finetune", variant="lora-v1", max_tokens=1)

    answer = check_ok(response)
    assert answer["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 1


@pytest.mark.parametrize(
    ("prompt", "response", "passed"),
    [
        (SUM, "4", True),
        (SUM, "5", False),
        (SUM, "banana", False),
        (SUM, "", False),
        ("What is the capital of France?", "Paris", True),
        ("What is the capital of France?", "Berlin", False),
    ],
)
def test_the_judge_tells_good_from_bad(
    platform: Platform, prompt: str, response: str, *, passed: bool
) -> None:
    body = {"prompt": prompt, "response": response}

    score = check_ok(platform.post("/api/eval/score", body, key="eval"))

    assert score["passed"] is passed, score
    assert score["profile"] == "daily-gate-v1"
    for name in ("coherence", "helpfulness", "factuality", "toxicity"):
        assert 0 <= score[name] <= 1


def test_every_team_is_ready_on_every_target(platform: Platform) -> None:
    response = platform.gateway.get("/ready")

    readiness = check_ok(response)
    assert readiness["status"] == "ready"
    assert set(readiness["teams"]) == {"quant", "finetune", "eval", "reference"}
    variants = [one for team in readiness["teams"].values() for one in team["variants"].values()]
    assert {state for targets in variants for state in targets.values()} == {"ok"}
