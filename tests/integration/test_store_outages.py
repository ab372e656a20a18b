"""DynamoDB and Secrets Manager away, throttled or silent."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from chalicelib import routing
from chalicelib.auth import Key
from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from chalicelib.config import load_config
from chalicelib.errors import CODES
from chalicelib.settings import Settings
from tests.support import gateway_process
from tests.support.contract import check_error, check_ok
from tests.support.http_server import Answered, Asked, serving
from tests.support.local_aws import LocalAws
from tests.support.raw_http import exchange, request
from tests.support.sockets import refusing, silent

TEAM: Final = "finetune"
_TEAM: Final = load_config(Settings().config_file, integration_timeout_s=60).teams[TEAM]
DECLARED: Final = routing.version(_TEAM, _TEAM.declared_weights)
PRINCIPAL: Final = {"key_id": "aaaaaaaaaaaa", "teams": "*", "scopes": "admin"}


def _throttled(_: Asked) -> Answered:
    kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    return Answered(status=400, body=json.dumps({"__type": kind, "message": "slow"}).encode())


def _broken(_: Asked) -> Answered:
    return Answered(status=500, body=b"<html>no</html>")


@pytest.fixture(scope="module", params=["closed", "throttled", "broken", "silent"])
def away(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a DynamoDB that is no use."""
    ways = {
        "closed": refusing,
        "throttled": lambda: serving(_throttled),
        "broken": lambda: serving(_broken),
        "silent": silent,
    }
    with ways[request.param]() as url:
        yield url


@pytest.fixture(scope="module")
def engine() -> Iterator[FakeServer]:
    with FakeServer(Behaviour(answer="still here")) as running:
        yield running


@pytest.fixture(scope="module")
def env(aws: LocalAws, away: str, engine: FakeServer) -> dict[str, str]:
    return {
        **aws.env(),
        "AWS_ENDPOINT_URL_DYNAMODB": away,
        "ENGINE_URLS": json.dumps({"mistral-7b-lora": engine.url}),
    }


def event(method: str, resource: str, body: object = None, **parameters: str) -> dict[str, Any]:
    """What API Gateway sends for a request whose key it remembers."""
    path = resource
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value)
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": resource,
            "path": path,
            "identity": {"sourceIp": "192.0.2.1"},
            "authorizer": PRINCIPAL,
        },
        "headers": {"Content-Type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "isBase64Encoded": False,
        "body": json.dumps(body) if body is not None else None,
    }


def problem(answer: Mapping[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["type"]) == CODES[error["code"]]
    assert answer["headers"]["X-Correlation-ID"] == error["correlation_id"]
    return error


def test_with_a_remembered_key_the_declared_split_answers(env: dict[str, str]) -> None:
    asked = event("POST", "/api/{team}/predict", {"prompt": "hi"}, team=TEAM)
    (answer, again), log = gateway_process.invoke(env, asked, asked)
    for given in (answer, again):
        assert given["statusCode"] == 200, given
        assert json.loads(given["body"])["output"] == "still here"
        assert given["headers"]["X-Route-Target"] == "vllm:mistral-7b-lora"
        assert given["headers"]["X-Route-Version"] == DECLARED
    assert "Traceback" not in log


def test_what_needs_the_store_says_that_it_is_away(env: dict[str, str]) -> None:
    answers, log = gateway_process.invoke(
        env,
        event("PUT", "/ops/routes/{team}", {"split": {"lora-v1": 100}, "version": 0}, team=TEAM),
        event("GET", "/ops/keys"),
        event("POST", "/ops/keys", {"name": "x", "teams": ["quant"], "scopes": ["invoke"]}),
        event("PATCH", "/ops/keys/{key_id}", {"disabled": True}, key_id="aaaaaaaaaaaa"),
    )
    for answer in answers:
        assert problem(answer)["code"] == "store_unavailable"
        assert answer["headers"]["Retry-After"] == "1"
    assert "Traceback" not in log


def test_what_is_declared_can_be_read_without_the_store(env: dict[str, str]) -> None:
    (answer,), _ = gateway_process.invoke(env, event("GET", "/ops/routes/{team}", team=TEAM))
    route = json.loads(answer["body"])
    assert answer["statusCode"] == 200
    assert (route["source"], route["split"]) == ("declared", {"lora-v1": 80, "lora-v2": 20})


def test_a_key_that_cannot_be_checked_is_not_refused_but_told_to_try_again(
    env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    key = "Authorization: Bearer llmo_aaaaaaaaaaaa_" + "0" * 43
    with gateway_process.serving(env, tmp_path_factory.mktemp("away")) as gateway:
        garbage = exchange(gateway.url, request("GET", "/v1/models", key))
        check_error(garbage, "invalid_key")
        well_formed = f"Authorization: Bearer {Key.new()}"
        unknown = exchange(gateway.url, request("GET", "/v1/models", well_formed))
        check_error(unknown, "store_unavailable")
        check_ok(exchange(gateway.url, request("GET", "/health")))


def test_without_its_pepper_no_key_can_be_checked(aws: LocalAws, tmp_path: Path) -> None:
    with ExitStack() as parts:
        dead = parts.enter_context(refusing())
        env = {**aws.env(), **aws.tables(), "AWS_ENDPOINT_URL_SECRETS_MANAGER": dead}
        gateway = parts.enter_context(gateway_process.serving(env, tmp_path))
        key = f"Authorization: Bearer {Key.new()}"
        response = exchange(gateway.url, request("GET", "/v1/models", key))
        check_error(response, "store_unavailable")


def test_wrong_settings_are_told_in_the_contracts_shape(aws: LocalAws) -> None:
    answers, log = gateway_process.invoke(
        {**aws.env(), "MAX_TOKENS": "many"},
        event("GET", "/health"),
        event("GET", "/ready"),
        event("POST", "/api/{team}/predict", {"prompt": "hi"}, team=TEAM),
    )
    alive, ready, asked = answers
    assert alive["statusCode"] == 200
    assert ready["statusCode"] == 503
    assert "MAX_TOKENS" in json.loads(ready["body"])["reason"]
    assert problem(asked)["code"] == "internal_error"
    assert "environment: MAX_TOKENS" in log
