"""Whom a run asks, and with which key."""

from pathlib import Path

import pytest

from harness.errors import NoStackError, WrongInput
from harness.local.identity import ProcessIdentity
from harness.local.state import AwsAccess, StackState
from harness.runs.access import Access, Asked, access, key_for, keys_for
from tests.support.harness_runs import plan

GATEWAY = "http://127.0.0.1:8000"
ENGINE = "http://127.0.0.1:9001"


@pytest.fixture
def stack() -> StackState:
    return StackState(
        gateway_url=GATEWAY,
        admin_key="admin",
        keys={"quant": "quants", "eval": "evals"},
        engines={"mistral-7b-awq": ENGINE},
        engine_api_key="engines",
        aws=AwsAccess(endpoint_url="", region="", access_key_id="", secret_access_key=""),
        sagemaker_runtime_url="",
        supervisor=ProcessIdentity(pid=1, started="then"),
        logs=str(Path("logs")),
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            Asked(),
            Access(url=GATEWAY, model="reference", api="predict", stream=False, key="quants"),
        ),
        (
            Asked(team="eval"),
            Access(url=GATEWAY, model="eval", api="predict", stream=False, key="evals"),
        ),
        (
            Asked(model="quant/awq", api="chat"),
            Access(url=GATEWAY, model="quant/awq", api="chat", stream=False, key="quants"),
        ),
        (
            Asked(engine="mistral-7b-awq"),
            Access(url=ENGINE, model=None, api="chat", stream=True, key="engines"),
        ),
        (
            Asked(url=ENGINE + "/", model="m", stream=False),
            Access(url=ENGINE, model="m", api="chat", stream=False, key="engines"),
        ),
        (
            Asked(url=GATEWAY, team="quant"),
            Access(url=GATEWAY, model="quant", api="predict", stream=False, key="quants"),
        ),
    ],
)
def test_what_is_not_said_is_taken_from_the_local_stack(
    stack: StackState, asked: Asked, expected: Access
) -> None:
    assert access(asked, stack, {}) == expected


def test_the_environments_key_comes_first(stack: StackState) -> None:
    assert access(Asked(), stack, {"LLMO_API_KEY": " mine\n"}).key == "mine"


def test_another_server_gets_no_key_of_the_local_stack(stack: StackState) -> None:
    with pytest.raises(NoStackError, match="no key for http://elsewhere"):
        key_for("http://elsewhere", "quant", stack, {})


def test_a_key_is_never_shown(stack: StackState) -> None:
    assert "quants" not in repr(access(Asked(), stack, {}))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(team="a", model="b"), "--team and --model"),
        (Asked(url="http://a", engine="b"), "--url and --engine"),
        (Asked(engine="unheard-of"), "the local stack has mistral-7b-awq"),
        (Asked(stream=True), "the gateway answers whole"),
    ],
)
def test_what_contradicts_itself_is_told(stack: StackState, asked: Asked, message: str) -> None:
    with pytest.raises(WrongInput, match=message):
        access(asked, stack, {})


@pytest.mark.parametrize("asked", [Asked(), Asked(engine="mistral-7b-awq")])
def test_without_a_stack_somebody_has_to_be_named(asked: Asked) -> None:
    with pytest.raises(NoStackError, match="make up"):
        access(asked, None, {"LLMO_API_KEY": "k"})


@pytest.mark.parametrize("key", ["ä", "a\x00b", "a\r\nb"])
def test_characters_that_no_key_has(key: str) -> None:
    with pytest.raises(WrongInput, match="characters that no key has"):
        key_for(GATEWAY, None, None, {"LLMO_API_KEY": key})


def test_a_run_that_is_resumed_gets_a_key_for_each_arm(stack: StackState) -> None:
    arms = [
        {"name": "direct", "url": ENGINE, "model": "m"},
        {"name": "through", "url": GATEWAY, "model": "eval"},
    ]

    assert keys_for(plan(arms=arms), stack, {}) == {"direct": "engines", "through": "evals"}
