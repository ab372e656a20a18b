"""The fake behind the gateway's backend protocol, without a network."""

import json

import pytest

from chalicelib.backends import Backend, Call
from chalicelib.backends.fake import Behaviour, FakeBackend, Fault
from chalicelib.deadline import Deadline
from chalicelib.errors import Reason, UpstreamFailure

CALL = Call(path="/v1/completions", body=b'{"prompt": "x", "max_tokens": 3}')


class Clock:
    """Notes how long a backend would have slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_it_answers_for_any_place_and_tells_what_was_called() -> None:
    backend: Backend = FakeBackend(Behaviour(api_key="k"))
    reply = backend.send("mistral", CALL, Deadline.after(5))
    assert reply.status == 200
    assert json.loads(reply.body)["usage"]["completion_tokens"] == 3
    assert isinstance(backend, FakeBackend)
    assert list(backend.calls) == [("mistral", CALL)]


def test_places_break_and_heal_on_their_own() -> None:
    backend = FakeBackend()
    backend.engines["a"].behaviour = Behaviour(fault="refuse")
    with pytest.raises(UpstreamFailure):
        backend.probe("a", Deadline.after(5))
    backend.probe("b", Deadline.after(5))
    backend.engines["a"].behaviour = Behaviour()
    backend.probe("a", Deadline.after(5))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("refuse", "connect"),
        ("hang", "timeout"),
        ("stall", "timeout"),
        ("trickle", "timeout"),
        ("reset", "reset"),
        ("truncate", "reset"),
        ("huge", "too_large"),
    ],
)
def test_a_fault_on_the_wire_is_an_upstream_failure(fault: Fault, reason: Reason) -> None:
    clock = Clock()
    backend = FakeBackend(Behaviour(fault=fault), sleep=clock.sleep)
    with pytest.raises(UpstreamFailure) as caught:
        backend.send("a", CALL, Deadline.after(5))
    assert caught.value.reason == reason
    assert sum(clock.slept) <= 5


@pytest.mark.parametrize("fault", ["status", "garbage", "error_body", "abort", "no_choices"])
def test_a_fault_within_the_answer_is_a_reply_for_others_to_judge(fault: Fault) -> None:
    reply = FakeBackend(Behaviour(fault=fault)).send("a", CALL, Deadline.after(5))
    assert reply.status == (500 if fault == "status" else 200)


def test_it_takes_its_time_but_never_more_than_there_is() -> None:
    clock = Clock()
    behaviour = Behaviour(latency_s=1, time_to_first_token_s=2, inter_token_latency_s=0.5)
    backend = FakeBackend(behaviour, sleep=clock.sleep)
    backend.send("a", CALL, Deadline.after(60))
    assert clock.slept == [4.0]
    with pytest.raises(UpstreamFailure, match="timeout"):
        backend.send("a", CALL, Deadline.after(2))
    assert clock.slept[1] <= 2


def test_an_unhealthy_engine_fails_its_probe_with_its_status() -> None:
    behaviour = Behaviour(fault="status", status=503, faults_health=True)
    with pytest.raises(UpstreamFailure) as caught:
        FakeBackend(behaviour).probe("a", Deadline.after(5))
    assert (caught.value.reason, caught.value.status) == ("unavailable", 503)


def test_a_replaced_behaviour_counts_from_the_start() -> None:
    backend = FakeBackend(Behaviour(fault="status", fail_first=1))
    engine = backend.engines["a"]
    statuses = [backend.send("a", CALL, Deadline.after(5)).status for _ in range(2)]
    engine.behaviour = engine.behaviour
    statuses.append(backend.send("a", CALL, Deadline.after(5)).status)
    assert statuses == [500, 200, 500]
