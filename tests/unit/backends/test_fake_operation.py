"""Running the fake engine: knobs over HTTP, its metrics, its command."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer, main

API = Path(__file__).parents[3] / "api"
CHAT = "/v1/chat/completions"
HELLO: dict[str, Any] = {"model": "ref", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


def metrics(server: FakeServer) -> dict[str, float]:
    text = httpx.get(f"{server.url}/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_knobs_can_be_turned_over_http(server: FakeServer) -> None:
    knobs = {"fault": "status", "status": 429, "retry_after_s": 2, "models": ["a", "b"]}
    turned = httpx.post(f"{server.url}/fake/behaviour", json=knobs)
    assert turned.json() == httpx.get(f"{server.url}/fake/behaviour").json()
    assert knobs.items() <= turned.json().items()
    answer = httpx.post(server.url + CHAT, json=HELLO)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b'{"fault": "bad"}', "application/json", "fault: 'bad' is not one of none, refuse"),
        (b'{"answer": 1}', "application/json", "answer: 1 is not null or a text"),
        (b"[]", "application/json", "send a JSON object of knobs"),
        (b"{", "application/json", "the body is not JSON"),
        (b"{}", "text/plain", "send the knobs as application/json"),
    ],
)
def test_a_wrong_knob_is_refused(
    server: FakeServer, body: bytes, content_type: str, message: str
) -> None:
    before = server.behaviour
    headers = {"Content-Type": content_type}
    answer = httpx.post(f"{server.url}/fake/behaviour", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)
    assert server.behaviour is before


def test_the_key_is_not_told(server: FakeServer) -> None:
    server.behaviour = Behaviour(api_key="secret-k")
    assert "secret-k" not in httpx.get(f"{server.url}/fake/behaviour").text
    assert httpx.post(server.url + CHAT, json=HELLO).status_code == 401


def test_metrics_count_what_was_served_under_vllms_names(server: FakeServer) -> None:
    server.behaviour = Behaviour(models=("ref",), answer="one two three")
    httpx.post(server.url + CHAT, json=HELLO)
    httpx.post(server.url + CHAT, json={**HELLO, "max_tokens": 2, "stream": True})
    httpx.post(server.url + CHAT, json={**HELLO, "temperature": -1})
    counted = metrics(server)
    engine = 'engine="0",model_name="ref"'
    expected = {
        f"vllm:num_requests_running{{{engine}}}": 0,
        f"vllm:num_requests_waiting{{{engine}}}": 0,
        f"vllm:kv_cache_usage_perc{{{engine}}}": 0,
        f"vllm:prompt_tokens_total{{{engine}}}": 10,
        f"vllm:generation_tokens_total{{{engine}}}": 7,
        f"vllm:time_to_first_token_seconds_count{{{engine}}}": 2,
        f"vllm:inter_token_latency_seconds_count{{{engine}}}": 5,
        f"vllm:e2e_request_latency_seconds_count{{{engine}}}": 2,
        'vllm:request_success_total{engine="0",finished_reason="stop",model_name="ref"}': 1,
        'vllm:request_success_total{engine="0",finished_reason="length",model_name="ref"}': 1,
        'vllm:request_success_total{engine="0",finished_reason="abort",model_name="ref"}': 0,
        'vllm:e2e_request_latency_seconds_bucket{engine="0",le="+Inf",model_name="ref"}': 2,
    }
    assert {name: counted[name] for name in expected} == expected


def test_a_request_under_way_is_running_until_its_peer_goes(server: FakeServer) -> None:
    server.behaviour = Behaviour(fault="hang", models=("ref",))
    running = 'vllm:num_requests_running{engine="0",model_name="ref"}'
    aborted = 'vllm:request_success_total{engine="0",finished_reason="abort",model_name="ref"}'
    parts = urlsplit(server.url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:
        connection.request(
            "POST", CHAT, json.dumps(HELLO), headers={"Content-Type": "application/json"}
        )
        while not metrics(server)[running]:
            pass
    while metrics(server)[running]:
        pass
    assert metrics(server)[aborted] == 1


def test_a_port_in_use_is_told_at_once(server: FakeServer) -> None:
    with pytest.raises(OSError, match="in use"):
        FakeServer(port=urlsplit(server.url).port or 0)


def test_a_closed_server_stays_closed(server: FakeServer) -> None:
    server.close()
    server.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health")


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "chalicelib.backends.fake.server", "--answer", "yes"]
    environment = {**os.environ, "FAKE_ENGINE_API_KEY": "k"}
    with subprocess.Popen(
        command, cwd=API, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("fake engine on http://127.0.0.1:")
        url = line.split()[-1]
        right = {"Authorization": "Bearer k"}
        answer = httpx.post(url + CHAT, json=HELLO, headers=right).json()
        assert answer["choices"][0]["message"]["content"] == "yes"
        assert httpx.post(url + CHAT, json=HELLO).status_code == 401
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_a_wrong_option_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--latency-ms", "-5"]) == 2
    expected = "fake_server: latency_s: -0.005 is not seconds from 0 to 3600\n"
    assert capsys.readouterr().err == expected


def test_a_taken_port_is_one_line_and_exit_code_1(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(urlsplit(server.url).port)
    assert main(["--port", port]) == 1
    assert capsys.readouterr().err.startswith(f"fake_server: port {port}: ")
