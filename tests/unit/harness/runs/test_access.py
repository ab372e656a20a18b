"""Whom a run asks, and how."""

import pytest

from harness.errors import NoStackError, WrongInput
from harness.runs.access import Access, Asked, access
from harness.stage import Stage

GATEWAY = "http://127.0.0.1:8000"
ENGINE = "http://127.0.0.1:9001"


@pytest.fixture
def stack() -> Stage:
    return Stage(
        gateway_url=GATEWAY,
        key="admin",
        keys={"quant": "quants", "eval": "evals"},
        engines={"mistral-7b-awq": ENGINE},
        engine_api_key="engines",
        local=True,
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            Asked(),
            Access(url=GATEWAY, model="reference", api="predict", stream=False, key="admin"),
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
    stack: Stage, asked: Asked, expected: Access
) -> None:
    assert access(asked, stack, {}) == expected


def test_a_key_is_never_shown(stack: Stage) -> None:
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
def test_what_contradicts_itself_is_told(stack: Stage, asked: Asked, message: str) -> None:
    with pytest.raises(WrongInput, match=message):
        access(asked, stack, {})


@pytest.mark.parametrize("asked", [Asked(), Asked(engine="mistral-7b-awq")])
def test_without_a_stack_somebody_has_to_be_named(asked: Asked) -> None:
    with pytest.raises(NoStackError, match="make up"):
        access(asked, None, {"LLMO_API_KEY": "k"})
