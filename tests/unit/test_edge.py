"""What a view raises becomes the contract's error, and nothing of it leaks."""

import json
import logging
from collections.abc import Iterator
from typing import Any, Final

import pytest
from chalice.app import Response

from chalicelib.errors import CODES, ConfigError, GatewayError, StoreUnavailable
from chalicelib.exchange import Exchange, current
from chalicelib.routes.edge import view

SECRET: Final = "what-the-caller-sent"


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    made = Exchange(method="POST", path="/x", headers={})
    token = current.set(made)
    yield made
    current.reset(token)


def answer(error: Exception) -> Response:
    @view(None)
    def failing(_: Exchange) -> None:
        raise error

    return failing()


def problem(response: Response, exchange: Exchange) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(response.body)["error"]
    assert (response.status_code, error["type"]) == CODES[error["code"]]
    assert error["correlation_id"] == exchange.correlation_id
    return error


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_its_status_and_type(exchange: Exchange, code: str) -> None:
    response = answer(GatewayError(code, "message", param="p", retry_after_s=2.4))
    error = problem(response, exchange)
    assert (error["code"], error["message"], error["param"]) == (code, "message", "p")
    assert response.headers["Retry-After"] == "2"


@pytest.mark.usefixtures("exchange")
def test_a_wait_of_less_than_a_second_is_one() -> None:
    response = answer(GatewayError("rate_limited", "m", retry_after_s=0.1))
    assert response.headers["Retry-After"] == "1"


def test_a_store_that_is_away_is_a_503_to_try_again(exchange: Exchange) -> None:
    response = answer(StoreUnavailable("dynamodb GetItem: connect http://10.0.0.1"))
    assert problem(response, exchange)["code"] == "store_unavailable"
    assert response.headers["Retry-After"] == "1"
    assert "10.0.0.1" not in response.body


def test_a_wrong_configuration_is_a_500_that_says_no_more(exchange: Exchange) -> None:
    response = answer(ConfigError("gateway.toml", "teams.quant", SECRET))
    assert problem(response, exchange)["code"] == "internal_error"
    assert SECRET not in response.body


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(SECRET),
        KeyError(SECRET),
        UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
        json.JSONDecodeError(SECRET, SECRET, 0),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
)
def test_a_fault_of_ours_is_logged_with_its_stack_but_not_its_message(
    exchange: Exchange, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    logger = logging.getLogger("chalicelib")
    logger.addHandler(caplog.handler)
    try:
        response = answer(error)
    finally:
        logger.removeHandler(caplog.handler)
    assert problem(response, exchange)["code"] == "internal_error"
    assert "in failing" in caplog.text
    assert type(error).__name__ in caplog.text
    assert SECRET not in caplog.text + response.body


@pytest.mark.usefixtures("exchange")
def test_a_view_answers_with_a_document_and_perhaps_a_status() -> None:
    @view(None)
    def plain(_: Exchange) -> dict[str, str]:
        return {"a": "ä"}

    @view(None)
    def made(_: Exchange) -> tuple[dict[str, str], int]:
        return {"a": "b"}, 201

    assert (plain().status_code, json.loads(plain().body)) == (200, {"a": "ä"})
    assert (made().status_code, json.loads(made().body)) == (201, {"a": "b"})
