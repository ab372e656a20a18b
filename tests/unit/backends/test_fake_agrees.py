"""The fake backend tells the same as the real one does about a fake engine over HTTP."""

import json

import pytest

from chalicelib.backends import Backend, Call
from chalicelib.backends.fake import FAULTS, Behaviour, FakeBackend, Fault
from chalicelib.backends.fake.server import FakeServer
from chalicelib.backends.vllm import VllmBackend
from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure

CALL = Call(path="/v1/completions", body=b'{"model": "ref", "prompt": "x", "max_tokens": 3}')


def outcome(backend: Backend) -> tuple[str, int | None, object]:
    """Reason, status and what a reply holds but for its id and time."""
    try:
        reply = backend.send("engine", CALL, Deadline.after(0.3))
    except UpstreamFailure as failure:
        return failure.reason, failure.status, None
    try:
        body = json.loads(reply.body)
    except ValueError:
        return "reply", reply.status, reply.body
    return "reply", reply.status, {**body, "id": None, "created": None}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_looks_the_same_in_process_and_over_http(fault: Fault) -> None:
    behaviour = Behaviour(fault=fault, api_key="k")
    connections = Connections()
    with FakeServer(behaviour) as server:
        real = VllmBackend(
            urls={"engine": server.url}, connections=connections, api_key=lambda *_: "k"
        )
        over_http = outcome(real)
        connections.close()
    assert over_http == outcome(FakeBackend(behaviour))
