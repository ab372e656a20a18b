"""Signed calls: tried twice, judged by the error's name, and over in time."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import Aws, AwsError, error_name
from chalicelib.connections import Connections, Reply
from chalicelib.errors import StoreUnavailable
from tests.support.http_server import Answered, Asked, serving
from tests.support.sockets import refusing, silent

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}


class Service:
    """Answers one after the other; the last one for ever."""

    def __init__(self, *answers: Answered) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def error(status: int, name: str) -> Answered:
    return Answered(status=status, body=json.dumps({"__type": name, "message": "no"}).encode())


@contextmanager
def calling(service: Service) -> Iterator[Aws]:
    with serving(service.answer) as url, closing(Connections()) as connections:
        yield Aws({**CREDENTIALS, "AWS_ENDPOINT_URL": url}, connections)


GOOD: Final = Answered(body=b'{"Item": {}}')


def test_a_call_names_its_operation_and_is_signed() -> None:
    service = Service(GOOD)
    with calling(service) as aws:
        assert aws.call("dynamodb", "GetItem", {"TableName": "t"}) == {"Item": {}}
    (asked,) = service.asked
    assert asked.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert asked.headers["content-type"] == "application/x-amz-json-1.0"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=a/")
    assert json.loads(asked.body) == {"TableName": "t"}


@pytest.mark.parametrize(
    "first",
    [
        error(500, "InternalServerError"),
        error(503, "ServiceUnavailable"),
        error(400, "com.amazonaws#ThrottlingException"),
        error(400, "x#ProvisionedThroughputExceededException"),
        error(400, "RequestLimitExceeded"),
        Answered(status=500, body=b"<html>"),
    ],
)
def test_what_may_pass_is_tried_once_more(first: Answered) -> None:
    service = Service(first, GOOD)
    with calling(service) as aws:
        assert aws.call("dynamodb", "GetItem", {}) == {"Item": {}}
    assert len(service.asked) == 2
    again = Service(first)
    with calling(again) as aws, pytest.raises(StoreUnavailable, match="dynamodb GetItem: "):
        aws.call("dynamodb", "GetItem", {})
    assert len(again.asked) == 2


@pytest.mark.parametrize(
    ("answered", "name"),
    [
        (error(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"), None),
        (error(400, "ResourceNotFoundException"), None),
        (
            Answered(
                status=403,
                headers={"x-amzn-ErrorType": "AccessDeniedException:http://x/"},
                body=b"",
            ),
            "AccessDeniedException",
        ),
        (Answered(status=404, body=b"<html>"), "HTTP404"),
        (Answered(status=400, body=b"[]"), "HTTP400"),
    ],
)
def test_a_refusal_is_told_by_its_name_only(answered: Answered, name: str | None) -> None:
    service = Service(answered)
    with calling(service) as aws, pytest.raises(AwsError) as caught:
        aws.call("dynamodb", "PutItem", {})
    expected = name or json.loads(answered.body)["__type"].rpartition("#")[2]
    assert (caught.value.name, caught.value.status) == (expected, answered.status)
    assert len(service.asked) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b"\xff"])
def test_a_200_that_says_nothing_is_an_unavailable_store(body: bytes) -> None:
    with calling(Service(Answered(body=body))) as aws, pytest.raises(StoreUnavailable):
        aws.call("dynamodb", "GetItem", {})


@pytest.mark.parametrize("away", [refusing, silent])
def test_a_service_that_is_away_is_unavailable(
    away: Callable[[], AbstractContextManager[str]],
) -> None:
    with away() as url:
        aws = Aws({**CREDENTIALS, "AWS_ENDPOINT_URL": url}, Connections())
        with pytest.raises(StoreUnavailable, match="secretsmanager GetSecretValue"):
            aws.call("secretsmanager", "GetSecretValue", {}, seconds=0.2)


def test_without_credentials_the_missing_one_is_named() -> None:
    with pytest.raises(StoreUnavailable, match="AWS_SECRET_ACCESS_KEY is not set"):
        Aws({"AWS_ACCESS_KEY_ID": "a"}, Connections()).call("dynamodb", "GetItem", {})


@pytest.mark.parametrize(
    ("env", "service", "endpoint"),
    [
        ({}, "dynamodb", "https://dynamodb.us-west-2.amazonaws.com"),
        ({"AWS_REGION": "eu-west-1"}, "sagemaker", "https://api.sagemaker.eu-west-1.amazonaws.com"),
        (
            {"AWS_DEFAULT_REGION": "eu-west-1"},
            "sagemaker-runtime",
            "https://runtime.sagemaker.eu-west-1.amazonaws.com",
        ),
        ({"AWS_REGION": "cn-north-1"}, "dynamodb", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://all/"}, "dynamodb", "http://all"),
        (
            {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://one"},
            "sagemaker-runtime",
            "http://one",
        ),
        ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://one"}, "secretsmanager", "http://one"),
    ],
)
def test_an_endpoint_is_found_as_the_sdks_find_it(
    env: dict[str, str], service: str, endpoint: str
) -> None:
    assert Aws(env, Connections()).endpoint(service) == endpoint


@given(st.binary(max_size=50))
def test_whatever_an_error_says_it_has_a_name(body: bytes) -> None:
    assert error_name(Reply(status=400, headers={}, body=body))
