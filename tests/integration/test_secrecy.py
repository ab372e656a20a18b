"""Prompts, outputs and keys stay between the caller and the engine."""

import json
import re
from typing import Any, Final

import httpx
import pytest

from chalicelib.auth import Key
from chalicelib.backends.fake import Behaviour
from tests.integration.conftest import Stack
from tests.support.collector import Collector
from tests.support.local_aws import ENGINE_KEY, PEPPER

PROMPT: Final = "marker-of-a-prompt"
OUTPUT: Final = "marker-of-an-output"
SESSION: Final = "marker-of-a-session"


@pytest.fixture(scope="module")
def traffic(shipped: Stack) -> list[httpx.Response]:
    """Good and bad requests that all carry markers; the engine answers with one."""
    lora = shipped.engines["mistral-7b-lora"]
    well = lora.behaviour
    lora.behaviour = Behaviour(models=well.models, api_key=well.api_key, answer=OUTPUT)
    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    predict, chat = "/api/finetune/predict", "/v1/chat/completions"
    key = shipped.key()
    with shipped.client(key) as client:
        headers = {"X-Session-ID": SESSION}
        answers = [
            client.post(predict, json={"prompt": PROMPT}, headers=headers),
            client.post(chat, json={"model": "finetune", "messages": messages}, headers=headers),
            client.post(predict, json={"prompt": PROMPT, "temperature": PROMPT}),
            client.post(predict, json={"prompt": PROMPT, "stop": [{PROMPT: PROMPT}]}),
            client.post(predict, json={"messages": [{"role": PROMPT, "content": PROMPT}]}),
            client.post(predict, content=f'{{"prompt": "{PROMPT}'.encode()),
            client.post(chat, json={"model": PROMPT, "messages": messages}),
            client.post(chat, json={"model": f"finetune/{PROMPT}", "messages": messages}),
            client.post(f"/api/{PROMPT}/predict", json={"prompt": PROMPT}),
            client.post("/api/eval/score", json={"prompt": PROMPT, "response": OUTPUT}),
            client.post("/api/reference/predict", json={"prompt": f"{PROMPT} " * 5000}),
            client.post("/ops/keys", json={"name": "n", "teams": [PROMPT], "scopes": ["admin"]}),
            client.get("/v1/models", headers={"X-Correlation-ID": f"{PROMPT} x"}),
        ]
    with shipped.client(f"{key}x") as stranger:
        answers.append(stranger.post(predict, json={"prompt": PROMPT}))
    lora.behaviour = well
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert OUTPUT in answers[0].text
    return answers


@pytest.fixture(scope="module")
def keys(traffic: list[httpx.Response]) -> set[str]:
    """The secrets of all keys that the traffic used."""
    sent = {str(answer.request.headers["authorization"])[7:] for answer in traffic}
    parsed = {Key.parse(key.removesuffix("x")) for key in sent}
    secrets = {key.secret for key in parsed if key}
    assert secrets
    return secrets


def test_no_log_line_holds_any_of_it(
    shipped: Stack, traffic: list[httpx.Response], keys: set[str]
) -> None:
    log = shipped.gateway.log()
    assert traffic[0].headers["x-correlation-id"] in log
    for marker in (PROMPT, OUTPUT, SESSION, ENGINE_KEY, PEPPER, *keys):
        assert marker not in log


def test_no_span_holds_any_of_it(
    otlp: Collector, traffic: list[httpx.Response], keys: set[str]
) -> None:
    assert traffic
    exported = b"".join(otlp.bodies).decode()
    assert "lab.route.version" in exported
    for marker in (PROMPT, OUTPUT, SESSION, ENGINE_KEY, PEPPER, *keys):
        assert marker not in exported


def test_no_error_repeats_any_of_it(traffic: list[httpx.Response], keys: set[str]) -> None:
    errors = [answer for answer in traffic if answer.status_code >= 400]
    assert len(errors) == 11
    for error in errors:
        everything = error.text + str(error.headers)
        for marker in (PROMPT, OUTPUT, SESSION, ENGINE_KEY, PEPPER, *keys):
            assert marker not in everything, error.request.content


def test_nothing_on_the_way_left_a_traceback(shipped: Stack, traffic: list[httpx.Response]) -> None:
    assert traffic
    assert "Traceback" not in shipped.gateway.log()


def test_every_log_line_of_a_request_has_its_ids(
    shipped: Stack, traffic: list[httpx.Response]
) -> None:
    wanted = {answer.headers["x-correlation-id"] for answer in traffic}
    lines = [json.loads(line) for line in shipped.gateway.log().splitlines() if line[0] == "{"]
    requests = {line["correlation_id"]: line for line in lines if line.get("message") == "request"}
    assert wanted <= set(requests)
    line = requests[traffic[0].headers["x-correlation-id"]]
    assert line["team"] == "finetune"
    assert line["status"] == "200"  # a metric dimension, and those are text
    assert line["route"] == "/api/{team}/predict"
    assert line["CompletionTokens"][0] > 0
    assert re.fullmatch(r"[0-9a-f]{32}", line["trace_id"])


def test_metrics_have_no_ids_among_their_dimensions(
    shipped: Stack, traffic: list[httpx.Response]
) -> None:
    assert traffic
    lines = [json.loads(line) for line in shipped.gateway.log().splitlines() if line[0] == "{"]
    measured = [line for line in lines if "_aws" in line]
    assert measured
    for line in measured:
        (metrics,) = line["_aws"]["CloudWatchMetrics"]
        for dimensions in metrics["Dimensions"]:
            assert set(dimensions) == {"service", "route", "team", "variant", "target", "status"}
