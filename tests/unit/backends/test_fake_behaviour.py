"""Knobs of the fake engine, and the faults they turn on."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.backends.fake import FAULTS, Behaviour, BehaviourError, Fault, changed, respond

CHAT = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "hello there"}]}


def ask(path: str, fields: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    answer = respond(behaviour, path, json.dumps(fields).encode())
    assert answer.status == 200, answer.body
    body: dict[str, Any] = json.loads(answer.content())
    return body


@pytest.mark.parametrize(
    ("fault", "finish", "text", "model"),
    [
        ("abort", "abort", "one", "ref"),
        ("empty_text", "stop", "", "ref"),
        ("wrong_model", "stop", "one two", "another-model"),
    ],
)
def test_faults_within_an_answer(fault: Fault, finish: str, text: str, model: str) -> None:
    body = ask(CHAT, HELLO, Behaviour(fault=fault, answer="one two", models=("ref",)))
    choice = body["choices"][0]
    got = (choice["finish_reason"], choice["message"]["content"], body["model"])
    assert got == (finish, text, model)


def test_no_choices_and_error_bodies_come_as_200() -> None:
    assert ask(CHAT, HELLO, Behaviour(fault="no_choices"))["choices"] == []
    assert ask(CHAT, HELLO, Behaviour(fault="error_body"))["error"]["code"] == 500


def test_garbage_is_not_json() -> None:
    answer = respond(Behaviour(fault="garbage"), CHAT, b"{}")
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_a_status_comes_with_retry_after() -> None:
    answer = respond(Behaviour(fault="status", status=429, retry_after_s=3), CHAT, b"{}")
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")


def test_health_suffers_only_when_told_to() -> None:
    ill = Behaviour(fault="status", status=503)
    assert respond(ill, "/health", method="GET").status == 200
    assert respond(changed(ill, {"faults_health": True}), "/health", method="GET").status == 503


def test_fail_first_hits_that_many_requests_and_no_more() -> None:
    behaviour = Behaviour(fault="hang", fail_first=2)
    assert [behaviour.fault_of(ordinal) for ordinal in range(4)] == ["hang", "hang", "none", "none"]


def test_a_ratio_hits_about_that_share_and_always_the_same_ones() -> None:
    behaviour = Behaviour(fault="reset", fault_ratio=0.3, seed=1)
    hit = [behaviour.fault_of(ordinal) for ordinal in range(1000)]
    assert hit == [behaviour.fault_of(ordinal) for ordinal in range(1000)]
    assert 250 < hit.count("reset") < 350
    assert hit != [changed(behaviour, {"seed": 2}).fault_of(ordinal) for ordinal in range(1000)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fault": "bad"}, f"fault: 'bad' is not one of {', '.join(FAULTS)}"),
        ({"fault": []}, "fault: [] is not one of"),
        ({"latency": 1}, "latency: no such knob; there are answer, api_key"),
        ({"latency_s": -1}, "latency_s: -1 is not seconds from 0 to 3600"),
        ({"latency_s": "x"}, "latency_s: 'x' is not seconds"),
        ({"latency_s": float("nan")}, "latency_s: nan is not seconds"),
        ({"models": []}, "models: () is not null or a list of at least one name"),
        ({"fail_first": True}, "fail_first: True is not null or a count"),
        ({"fault_ratio": 2}, "fault_ratio: 2 is not a share from 0 to 1"),
        ({"status": 200}, "status: 200 is not an HTTP status from 400 to 599"),
        ({"api_key": 5}, "api_key: "),
    ],
)
def test_a_wrong_knob_is_named_with_what_is_allowed(
    changes: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(BehaviourError) as caught:
        changed(Behaviour(), changes)
    assert str(caught.value).startswith(message)


def test_the_key_is_not_shown() -> None:
    assert "secret-k" not in repr(Behaviour(api_key="secret-k"))
