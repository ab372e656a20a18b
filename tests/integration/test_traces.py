"""One trace from the caller through the gateway to the engine."""

from typing import Final

import httpx

from tests.integration.conftest import Stack
from tests.support.collector import Collector

PREDICT: Final = "/api/finetune/predict"
CALLERS: Final = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


def test_the_callers_trace_goes_on_to_the_engine(
    shipped: Stack, admin: httpx.Client, otlp: Collector
) -> None:
    headers = {"traceparent": CALLERS}
    response = admin.post(PREDICT, json={"prompt": "hi", "variant": "lora-v1"}, headers=headers)
    assert response.status_code == 200
    spans = otlp.trace("0123456789abcdef0123456789abcdef")
    (server,) = [span for span in spans if span.kind == 2]
    (call,) = [span for span in spans if span.kind == 3]
    assert (server.name, server.parent_id) == ("POST /api/{team}/predict", "0123456789abcdef")
    assert (call.name, call.parent_id) == ("chat lora-v1", server.span_id)
    got = shipped.engines["mistral-7b-lora"].requests[-1].headers["traceparent"]
    assert got == f"00-{server.trace_id}-{call.span_id}-01"


def test_a_requests_spans_say_how_it_was_routed_and_what_it_cost(
    admin: httpx.Client, otlp: Collector
) -> None:
    traceparent = "00-11111111111111111111111111111111-0123456789abcdef-01"
    body = {"prompt": "hi", "session_id": "s", "max_tokens": 4}
    response = admin.post(PREDICT, json=body, headers={"traceparent": traceparent})
    usage = response.json()["usage"]
    server, call = sorted(otlp.trace("1" * 32), key=lambda span: span.kind)
    assert server.attributes == {
        "http.request.method": "POST",
        "http.route": "/api/{team}/predict",
        "http.response.status_code": 200,
        "lab.team": "finetune",
        "lab.variant": response.headers["x-route-variant"],
        "lab.target": "vllm:mistral-7b-lora",
        "lab.route.version": response.headers["x-route-version"],
        "lab.route.reason": "split",
    }
    assert call.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "vllm",
        "gen_ai.request.model": response.headers["x-route-variant"],
        "gen_ai.response.model": response.headers["x-route-variant"],
        "gen_ai.response.finish_reasons": [response.json()["finish_reason"]],
        "gen_ai.usage.input_tokens": usage["prompt_tokens"],
        "gen_ai.usage.output_tokens": usage["completion_tokens"],
        "lab.team": "finetune",
        "lab.variant": response.headers["x-route-variant"],
        "lab.target": "vllm:mistral-7b-lora",
    }
    assert not server.failed
    assert not call.failed


def test_a_garbled_trace_context_starts_a_trace_of_its_own(
    admin: httpx.Client, otlp: Collector
) -> None:
    for garbled in ("x", "00-zz-zz-01", f"00-{'0' * 32}-{'0' * 16}-01", "00-" + "1" * 5000):
        before = len(otlp.spans())
        assert admin.get("/health", headers={"traceparent": garbled}).status_code == 200
        (span,) = otlp.spans()[before:]
        assert span.parent_id is None
