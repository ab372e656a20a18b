"""What a good request gets, and where it went."""

import json
from collections import Counter
from typing import Any, Final

import httpx
import pytest

from tests.integration.conftest import Stack
from tests.support.contract import check_error, check_headers, check_ok

MESSAGES: Final = [{"role": "user", "content": "What is 2+2?"}]
FINETUNE: Final = "/api/finetune/predict"
RECORDED_WHOLE: Final = 64 * 1024
"""A fake engine keeps no more of a body."""


def last_body(stack: Stack, engine: str) -> dict[str, Any]:
    """What an engine was asked last."""
    body: dict[str, Any] = json.loads(stack.engines[engine].requests[-1].body)
    return body


@pytest.mark.parametrize(
    ("team", "target", "model"),
    [
        ("quant", "sagemaker:quant-endpoint", "mistral-7b-awq"),
        ("eval", "vllm:mistral-7b-judge", "mistral-7b-judge"),
        ("reference", "vllm:mistral-7b-fp16", "mistral-7b-fp16"),
    ],
)
def test_predict_says_who_answered_and_what_it_cost(
    admin: httpx.Client, team: str, target: str, model: str
) -> None:
    response = admin.post(f"/api/{team}/predict", json={"prompt": "What is 2+2?"})
    answer = check_ok(response)
    assert set(answer) == {
        "output",
        "model_version",
        "latency_ms",
        "correlation_id",
        "team",
        "variant",
        "target",
        "finish_reason",
        "usage",
    }
    assert (answer["team"], answer["target"], answer["model_version"]) == (team, target, model)
    assert answer["output"]
    assert answer["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] > 0
    headers = response.headers
    assert headers["x-correlation-id"] == answer["correlation_id"]
    assert headers["x-route-team"] == team
    assert headers["x-route-variant"] == answer["variant"]
    assert headers["x-route-target"] == target
    assert "x-route-fallback" not in headers
    assert 0 < answer["latency_ms"] <= float(headers["x-latency-ms"])


def test_a_prompt_becomes_a_user_turn_with_the_contracts_defaults(
    shipped: Stack, admin: httpx.Client
) -> None:
    check_ok(admin.post("/api/reference/predict", json={"prompt": "What is 2+2?"}))
    assert last_body(shipped, "mistral-7b-fp16") == {
        "model": "mistral-7b-fp16",
        "messages": MESSAGES,
        "max_tokens": 256,
        "temperature": 0.7,
    }


def test_what_the_caller_asks_for_reaches_the_engine(shipped: Stack, admin: httpx.Client) -> None:
    body = {
        "messages": MESSAGES,
        "max_tokens": 7,
        "temperature": 0,
        "top_p": 0.5,
        "stop": ["\n"],
        "seed": 3,
        "session_id": "kept here",
        "model_params": {"top_k": 5, "response_format": {"type": "json_object"}},
    }
    check_ok(admin.post("/api/reference/predict", json=body))
    assert last_body(shipped, "mistral-7b-fp16") == {
        "model": "mistral-7b-fp16",
        "messages": MESSAGES,
        "max_tokens": 7,
        "temperature": 0,
        "top_p": 0.5,
        "stop": ["\n"],
        "seed": 3,
        "top_k": 5,
        "response_format": {"type": "json_object"},
    }


def test_an_engine_gets_its_own_key_and_a_trace_but_nothing_of_the_callers(
    shipped: Stack, admin: httpx.Client
) -> None:
    headers = {"X-Session-ID": "s-1", "X-Custom": "private", "Cookie": "c=1"}
    check_ok(admin.post("/api/reference/predict", json={"prompt": "hi"}, headers=headers))
    got = shipped.engines["mistral-7b-fp16"].requests[-1].headers
    assert got["traceparent"].startswith("00-")
    assert not {"x-session-id", "x-custom", "cookie"} & set(got)
    key = str(admin.headers["authorization"])
    assert key not in got.values()


def test_a_chat_answer_is_the_engines_own_document(shipped: Stack, admin: httpx.Client) -> None:
    body = {"model": "reference", "messages": MESSAGES, "logprobs": True, "top_logprobs": 2, "n": 2}
    response = admin.post("/v1/chat/completions", json=body)
    answer = check_ok(response)
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "mistral-7b-fp16"
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["choices"][0]["logprobs"]["content"]
    assert last_body(shipped, "mistral-7b-fp16") == {**body, "model": "mistral-7b-fp16"}
    assert response.headers["x-route-target"] == "vllm:mistral-7b-fp16"


def test_a_text_completion_goes_to_completions(shipped: Stack, admin: httpx.Client) -> None:
    body = {"model": "reference", "prompt": "Once upon", "max_tokens": 5}
    answer = check_ok(admin.post("/v1/completions", json=body))
    assert answer["object"] == "text_completion"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5
    assert shipped.engines["mistral-7b-fp16"].requests[-1].path == "/v1/completions"


def test_a_given_correlation_id_comes_back(admin: httpx.Client) -> None:
    for given in ("a", "A.b_c-9", "x" * 128):
        response = admin.post(FINETUNE, json={"prompt": "hi"}, headers={"X-Correlation-ID": given})
        assert check_ok(response)["correlation_id"] == given
        assert response.headers["x-correlation-id"] == given


def test_without_one_every_request_gets_its_own_correlation_id(admin: httpx.Client) -> None:
    made = {admin.get("/health").headers["x-correlation-id"] for _ in range(20)}
    assert len(made) == 20


@pytest.mark.parametrize("how", ["session field", "session header", "openai user"])
def test_what_a_unit_is_sticks_to_its_variant(admin: httpx.Client, how: str) -> None:
    def variant(unit: str) -> str:
        chat = {"model": "finetune", "messages": MESSAGES, "max_tokens": 1}
        if how == "session field":
            body = {"prompt": "hi", "max_tokens": 1, "session_id": unit}
            response = admin.post(FINETUNE, json=body)
        elif how == "session header":
            response = admin.post("/v1/chat/completions", json=chat, headers={"X-Session-ID": unit})
        else:
            response = admin.post("/v1/chat/completions", json={**chat, "user": unit})
        check_ok(response)
        return str(response.headers["x-route-variant"])

    units = [f"unit-{number}" for number in range(40)]
    first = {unit: variant(unit) for unit in units}
    assert first == {unit: variant(unit) for unit in reversed(units)}
    assert set(first.values()) == {"lora-v1", "lora-v2"}


def test_a_session_counts_before_the_user(admin: httpx.Client) -> None:
    def variant(**fields: str) -> str:
        body = {"model": "finetune", "messages": MESSAGES, "max_tokens": 1, **fields}
        response = admin.post("/v1/chat/completions", json=body)
        return str(response.headers["x-route-variant"])

    for number in range(20):
        session, user = f"s{number}", f"u{number}"
        assert variant(session_id=session, user=user) == variant(session_id=session)


def test_explain_tells_the_variant_that_a_request_then_gets(admin: httpx.Client) -> None:
    for number in range(20):
        unit = f"explained-{number}"
        told = check_ok(admin.get("/ops/routes/finetune/explain", params={"unit": unit}))
        response = admin.post(FINETUNE, json={"prompt": "hi", "max_tokens": 1, "session_id": unit})
        check_ok(response)
        assert response.headers["x-route-variant"] == told["variant"]
        assert response.headers["x-route-version"] == told["route_version"]
        best = max(told["scores"], key=lambda scored: scored["score"])
        assert best["variant"] == told["variant"]


def test_both_variants_answer_where_nothing_sticks(admin: httpx.Client) -> None:
    """Each request is its own unit: with 80/20, 60 requests miss one with chance 2e-6."""
    counts = Counter(
        admin.post(FINETUNE, json={"prompt": "hi", "max_tokens": 1}).headers["x-route-variant"]
        for _ in range(60)
    )
    assert set(counts) == {"lora-v1", "lora-v2"}
    assert counts["lora-v1"] > counts["lora-v2"]


@pytest.mark.parametrize("variant", ["lora-v1", "lora-v2"])
def test_a_pin_gets_its_variant_and_the_engine_that_model(
    shipped: Stack, admin: httpx.Client, variant: str
) -> None:
    for number in range(5):
        body = {"prompt": "hi", "variant": variant, "session_id": f"pin-{number}"}
        assert check_ok(admin.post(FINETUNE, json=body))["model_version"] == variant
        assert last_body(shipped, "mistral-7b-lora")["model"] == variant


def test_only_declared_models_ever_reach_an_engine(shipped: Stack, admin: httpx.Client) -> None:
    """After good requests and hostile ones, in every field that could carry a name."""
    for hostile in ("../x", "/etc/passwd", "lora-v1/../../x", "mistral-7b-lora"):
        chat = {"messages": MESSAGES}
        admin.post("/v1/chat/completions", json={**chat, "model": hostile})
        admin.post("/v1/chat/completions", json={**chat, "model": f"finetune/{hostile}"})
        admin.post(FINETUNE, json={"prompt": "hi", "variant": hostile})
        admin.post(FINETUNE, json={"prompt": "hi", "model_params": {"model": hostile}})
        admin.post(FINETUNE, json={"prompt": "hi", "model": hostile})
        admin.post("/v1/completions", json={"model": hostile, "prompt": "x"})
    check_ok(admin.post(FINETUNE, json={"prompt": "hi", "variant": "lora-v1"}))
    asked = [
        json.loads(request.body)["model"]
        for engine in shipped.engines.values()
        for request in engine.requests
        if request.method == "POST" and len(request.body) < RECORDED_WHOLE
    ]
    allowed = {"mistral-7b-awq", "lora-v1", "lora-v2", "mistral-7b-judge", "mistral-7b-fp16"}
    assert "lora-v1" in asked
    assert set(asked) <= allowed


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": MESSAGES, "model": "reference", "echo": None}),
        ("/api/reference/predict", {"prompt": "hi", "model_params": {"echo": None}}),
    ],
)
def test_null_counts_as_not_given_for_the_engine_too(
    shipped: Stack, admin: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    check_ok(admin.post(path, json=body))
    assert "echo" not in last_body(shipped, "mistral-7b-fp16")


def test_a_prompt_over_the_models_context_is_the_callers_fault(admin: httpx.Client) -> None:
    response = admin.post("/api/reference/predict", json={"prompt": "word " * 5000})
    error = check_error(response, "invalid_request", "max_tokens")
    assert "4096 tokens" in error["message"]
    assert response.headers["x-route-target"] == "vllm:mistral-7b-fp16"


def test_ready_tells_each_variants_targets(admin: httpx.Client) -> None:
    """Each was asked for a token."""
    document = check_ok(admin.get("/ready"))
    assert document["status"] == "ready"
    assert document["teams"]["finetune"]["ready"] is True
    assert document["teams"]["finetune"]["variants"]["lora-v1"]["vllm:mistral-7b-lora"] == "ok"


@pytest.mark.parametrize("path", ["/health", "/startup"])
def test_liveness_says_so(admin: httpx.Client, path: str) -> None:
    response = admin.get(path)
    check_headers(response)
    assert response.json()["status"] in {"ok", "started"}
