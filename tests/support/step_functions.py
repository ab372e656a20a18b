"""Step Functions as moto interprets it, with Lambda functions that are called in this process.

moto runs its interpreter only where it is told to, asks S3 and Lambda on its own port, and would
run functions in Docker. Here that port answers Lambda's Invoke by calling Python functions.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import pytest
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.stepfunctions.parser.utils import TMP_THREADS
from werkzeug.serving import make_server

from tests.support.local_aws import REGION

_INVOKE: Final = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")
_ROLE: Final = "arn:aws:iam::123456789012:role/made-up"

Function = Callable[[Any, Any], Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Throttled(Exception):  # noqa: N818  # it is what Lambda says
    """Raised by a function to answer as Lambda does when it is not even started."""


class Context:
    """Lambda's, of a function that has the time it is given."""

    def __init__(self, milliseconds: int = 900_000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFunctions:
    port: int
    functions: dict[str, Function] = field(default_factory=dict)
    """By name; a test may exchange them."""

    def run(self, definition: str, given: object) -> dict[str, Any]:
        """The execution's description when it is over."""
        client = boto3.Session().client(
            "stepfunctions",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id="ak",
            aws_secret_access_key="sk",
        )
        machine = client.create_state_machine(
            name=f"machine-{len(TMP_THREADS)}", definition=definition, roleArn=_ROLE
        )
        started = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], input=json.dumps(given)
        )
        for thread in TMP_THREADS:
            thread.join()
        return dict(client.describe_execution(executionArn=started["executionArn"]))


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    lock = threading.Lock()  # as for the other moto: one request at a time, but not functions
    moto = DomainDispatcherApplication(create_backend_app)
    functions: dict[str, Function] = {}

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if invoked := _INVOKE.fullmatch(environ["PATH_INFO"]):
            return _invoke(functions[invoked["name"]], environ, start_response)
        with lock:
            return list(moto(environ, start_response))

    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="step functions")
    thread.start()
    monkeypatch.setenv("MOTO_PORT", str(server.server_port))
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    try:
        yield StepFunctions(port=server.server_port, functions=functions)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _invoke(
    function: Function, environ: Mapping[str, Any], start_response: StartResponse
) -> Iterable[bytes]:
    event = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", "made-up")]
    try:
        answer: object = function(event, Context())
    except Throttled:
        start_response("429 ", [*headers, ("x-amzn-ErrorType", "TooManyRequestsException")])
        return [b'{"message": "Rate Exceeded."}']
    except Exception as error:  # noqa: BLE001  # as Lambda tells what a function raises
        answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        headers.append(("X-Amz-Function-Error", "Unhandled"))
    start_response("200 OK", headers)
    return [json.dumps(answer).encode()]
