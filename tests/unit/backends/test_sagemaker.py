"""What a target's name becomes on a stage, and whose answer is whose."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import pytest

from chalicelib.aws import Aws
from chalicelib.backends import Call
from chalicelib.backends.sagemaker import SageMakerBackend
from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from tests.support.http_server import Answered, Asked, serving

ENGINES: Final = ("mistral-7b-lora",)


class Runtime:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        return Answered(body=self.body)


@contextmanager
def backend(runtime: Runtime, prefix: str) -> Iterator[SageMakerBackend]:
    credentials = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}
    with serving(runtime.answer) as url, closing(Connections()) as connections:
        aws = Aws({**credentials, "AWS_ENDPOINT_URL": url}, connections)
        yield SageMakerBackend(aws, prefix=prefix, engines=ENGINES)


def ask(place: str, *, prefix: str, body: bytes = b"{}") -> tuple[Asked, bytes]:
    runtime = Runtime(body)
    with backend(runtime, prefix) as sagemaker:
        call = Call(path="/v1/chat/completions", body=b"{}", headers={})
        reply = sagemaker.send(place, call, Deadline.after(5))
    return runtime.asked[0], reply.body


@pytest.mark.parametrize(
    ("place", "endpoint", "header", "part"),
    [
        ("quant-endpoint", "llmo-dev-quant-endpoint", None, None),
        ("e/awq", "llmo-dev-e", "x-amzn-sagemaker-target-variant", "awq"),
        ("e#lora-v1", "llmo-dev-e", "x-amzn-sagemaker-inference-component", "llmo-dev-lora-v1"),
    ],
)
def test_names_on_a_stage_are_unique_in_the_account(
    place: str, endpoint: str, header: str | None, part: str | None
) -> None:
    """A production variant is its endpoint's own, so it needs no prefix."""
    asked, _ = ask(place, prefix="llmo-dev-")
    assert asked.path == f"/endpoints/{endpoint}/invocations"
    parts = {
        name: value
        for name, value in asked.headers.items()
        if name in ("x-amzn-sagemaker-target-variant", "x-amzn-sagemaker-inference-component")
    }
    assert parts == ({header: part} if header else {})


def test_without_a_stage_names_are_as_they_are() -> None:
    asked, _ = ask("e#lora-v1", prefix="")
    assert asked.path == "/endpoints/e/invocations"
    assert asked.headers["x-amzn-sagemaker-inference-component"] == "lora-v1"


@pytest.mark.parametrize("identifier", ["llmo-dev-lora-v1", "3f2a-whatever-sagemaker-chose"])
def test_an_adapter_answers_by_the_components_name(identifier: str) -> None:
    body = json.dumps({"model": identifier, "choices": [{"n": 1}]}).encode()
    _, answer = ask("e#lora-v1", prefix="llmo-dev-", body=body)
    assert json.loads(answer) == {"model": "lora-v1", "choices": [{"n": 1}]}


def test_a_base_that_answers_for_an_adapter_keeps_its_name() -> None:
    body = json.dumps({"model": "mistral-7b-lora"}).encode()
    _, answer = ask("e#lora-v1", prefix="llmo-dev-", body=body)
    assert answer == body


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"model": 7}', b"{}"])
def test_what_is_no_answer_is_left_to_be_judged(body: bytes) -> None:
    _, answer = ask("e#lora-v1", prefix="llmo-dev-", body=body)
    assert answer == body


@pytest.mark.parametrize(("place", "prefix"), [("e#lora-v1", ""), ("e", "llmo-dev-")])
def test_nobody_elses_name_is_changed(place: str, prefix: str) -> None:
    body = json.dumps({"model": "another-model"}).encode()
    _, answer = ask(place, prefix=prefix, body=body)
    assert answer == body
