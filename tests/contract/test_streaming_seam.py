"""An adapter that streams needs no change in the core: it plans and dispatches, and asks itself."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from chalicelib.backends.fake import Behaviour, Fault
from chalicelib.backends.fake.server import FakeServer
from chalicelib.deadline import Deadline
from chalicelib.dispatch import Candidate, Dispatched, dispatch
from chalicelib.errors import GatewayError, UpstreamFailure
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.inference import CHAT, Question
from tests.support.local_aws import LocalAws

ANSWER: Final = "one two three four"
CONFIG: Final = """
[teams.team]
timeout_s = 2
attempt_timeout_s = 0.5
salt = "s"
[teams.team.variants.v]
weight = 100
model = "served"
targets = ["vllm:first", "vllm:second"]
"""


class StreamingAdapter:
    """Server-sent events over the core's own plan, dispatch, breaker and deadline."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def stream(self, question: Question, exchange: Exchange) -> Dispatched[Iterator[str]]:
        inference = self._gateway.inference

        def ask(candidate: Candidate, deadline: Deadline) -> Iterator[str]:
            exchange.route.target = candidate.target.name
            body = {"model": candidate.variant.model, **question.body, "stream": True}
            url = self._gateway.settings.engine_urls[candidate.target.place]
            return _from_the_first_event(_events(url, question.path, body, deadline))

        return dispatch(
            question.team,
            inference.plan(question, exchange),
            ask,
            targets=inference.breaker,
            deadline=Deadline.after(question.team.timeout_s),
        )


def _from_the_first_event(events: Iterator[str]) -> Iterator[str]:
    """Returns when the first event is there: until then another target may still answer."""
    first = next(events)

    def all_of_them() -> Iterator[str]:
        yield first
        yield from events

    return all_of_them()


def _events(url: str, path: str, body: dict[str, Any], deadline: Deadline) -> Iterator[str]:
    host = urlsplit(url).netloc
    with closing(http.client.HTTPConnection(host, timeout=deadline.remaining)) as connection:
        try:
            headers = {"content-type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            if response.status != 200:
                response.close()
                raise UpstreamFailure("unavailable", status=response.status)
            with response:
                for line in response:
                    event = line.decode().removeprefix("data: ").strip()
                    if event == "[DONE]":
                        return
                    if event:
                        yield event
        except TimeoutError:
            raise UpstreamFailure("timeout") from None
        except (OSError, http.client.HTTPException):
            raise UpstreamFailure("reset") from None
    raise UpstreamFailure("reset")


@pytest.fixture
def first() -> Iterator[FakeServer]:
    with FakeServer(Behaviour(answer=ANSWER)) as server:
        yield server


@pytest.fixture
def second() -> Iterator[FakeServer]:
    with FakeServer(Behaviour(answer=ANSWER)) as server:
        yield server


@pytest.fixture
def gateway(
    aws: LocalAws, first: FakeServer, second: FakeServer, tmp_path: Path
) -> Iterator[Gateway]:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG, "utf-8")
    gateway = Gateway(
        {
            **aws.env(),
            **aws.tables(),
            "GATEWAY_CONFIG": str(config),
            "ENGINE_URLS": json.dumps({"first": first.url, "second": second.url}),
        }
    )
    with closing(gateway.connections):
        yield gateway


def ask(gateway: Gateway) -> tuple[Dispatched[Iterator[str]], Exchange]:
    exchange = Exchange(method="POST", path=CHAT, headers={})
    question = Question(
        team=gateway.config.teams["team"],
        path=CHAT,
        body={"messages": [{"role": "user", "content": "hi"}]},
        unit="unit",
    )
    return StreamingAdapter(gateway).stream(question, exchange), exchange


def text_of(events: Iterator[str]) -> str:
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_events_come_through_in_order(gateway: Gateway) -> None:
    dispatched, exchange = ask(gateway)
    assert text_of(dispatched.answer) == ANSWER
    assert dispatched.fallback is None
    assert exchange.route.target == "vllm:first"
    assert exchange.route.variant == "v"


@pytest.mark.parametrize(
    ("fault", "reason"), [("refuse", "reset"), ("hang", "timeout"), ("status", "unavailable")]
)
def test_before_the_first_event_another_target_takes_over(
    gateway: Gateway, first: FakeServer, fault: Fault, reason: str
) -> None:
    first.behaviour = Behaviour(fault=fault)
    dispatched, exchange = ask(gateway)
    assert text_of(dispatched.answer) == ANSWER
    assert dispatched.fallback == f"vllm:first:{reason}"
    assert exchange.route.target == "vllm:second"


def test_after_the_first_event_a_failure_is_the_streams_own(
    gateway: Gateway, first: FakeServer, second: FakeServer
) -> None:
    """What was sent can't be taken back, so nobody else is asked."""
    first.behaviour = Behaviour(answer=ANSWER * 20, fault="reset", inter_token_latency_s=0.001)
    dispatched, _ = ask(gateway)
    assert dispatched.fallback is None
    with pytest.raises(UpstreamFailure):
        text_of(dispatched.answer)
    assert not second.requests


def test_without_any_target_the_caller_gets_the_contracts_error(
    gateway: Gateway, first: FakeServer, second: FakeServer
) -> None:
    first.behaviour = second.behaviour = Behaviour(fault="refuse")
    with pytest.raises(GatewayError) as caught:
        ask(gateway)
    assert caught.value.code == "upstream_error"
