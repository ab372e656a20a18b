"""Whom a command asks, and which key it shows to whom."""

from pathlib import Path

import pytest

from harness.errors import NoStackError, WrongInput
from harness.local.identity import ProcessIdentity
from harness.local.layout import Layout
from harness.local.state import AwsAccess, StackState, publish
from harness.stage import Stage, address, key_for, keys_for
from tests.support.harness_runs import plan

GATEWAY = "http://127.0.0.1:8000"
ENGINE = "http://127.0.0.1:9001"
ELSEWHERE = "https://api.example.com/prod"
OF_A_STAGE = {"LLMO_API_KEY": "of-a-stage"}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Of a repository of its own, where no stack runs yet."""
    layout = Layout(root=tmp_path, build=tmp_path)
    monkeypatch.setattr(Layout, "of_repository", lambda: layout)
    return layout


@pytest.fixture
def stack(layout: Layout) -> Stage:
    """A stack that runs, and that every command finds."""
    _publish(layout, ProcessIdentity.own())
    found = Stage.of_local()
    assert found is not None
    return found


def _publish(layout: Layout, supervisor: ProcessIdentity) -> None:
    state = StackState(
        gateway_url=f"{GATEWAY}/",
        admin_key="admin",
        keys={"quant": "quants", "eval": "evals"},
        engines={"mistral-7b-awq": f"{ENGINE}/"},
        engine_api_key="engines",
        aws=AwsAccess(endpoint_url="", region="", access_key_id="", secret_access_key=""),
        sagemaker_runtime_url="",
        supervisor=supervisor,
        logs="logs",
    )
    publish(state, layout.state)


@pytest.mark.parametrize("env", [{}, {"LLMO_API_KEY": ""}, OF_A_STAGE, {"LLMO_API_KEY": "ä"}])
def test_the_local_stack_is_asked_with_its_own_keys_whatever_the_variable_holds(
    stack: Stage, env: dict[str, str]
) -> None:
    assert key_for(GATEWAY, "quant", stack, env) == "quants"
    assert key_for(f"{GATEWAY}/", "eval/judge", stack, env) == "evals"
    assert key_for(GATEWAY, "reference", stack, env) == "admin"
    assert key_for(ENGINE, "any", stack, env) == "engines"
    assert Stage.of(None, env) == stack


@pytest.mark.parametrize("named", [GATEWAY, f"{GATEWAY}/"])
def test_the_local_stack_named_by_its_address_is_the_local_stack(stack: Stage, named: str) -> None:
    assert Stage.of(named, OF_A_STAGE) == stack


def test_a_stage_is_asked_with_the_variables_key_and_no_other(stack: Stage) -> None:
    stage = Stage.of(f"{ELSEWHERE}/", {"LLMO_API_KEY": " mine\n"})

    assert (stage.gateway_url, stage.local) == (ELSEWHERE, False)
    assert [stage.key_for(team) for team in ("quant", "eval/judge")] == ["mine", "mine"]
    assert key_for(ELSEWHERE, "quant", stack, OF_A_STAGE) == "of-a-stage"
    assert stage.key_at(ENGINE, "any") is None


@pytest.mark.parametrize("env", [{}, {"LLMO_API_KEY": ""}, {"LLMO_API_KEY": " \n"}])
def test_without_the_variable_a_stage_can_not_be_asked(stack: Stage, env: dict[str, str]) -> None:
    told = f"no key for {ELSEWHERE}: put one in the environment variable LLMO_API_KEY"
    with pytest.raises(NoStackError, match=told):
        Stage.of(ELSEWHERE, env)
    with pytest.raises(NoStackError, match=told):
        key_for(ELSEWHERE, "quant", stack, env)


@pytest.mark.usefixtures("layout")
def test_where_nothing_runs_that_is_told_and_a_key_is_no_help() -> None:
    assert Stage.of_local() is None
    with pytest.raises(NoStackError, match="start it with 'make up', or name another place"):
        Stage.of(None, OF_A_STAGE)


def test_a_stack_that_died_is_none(layout: Layout) -> None:
    _publish(layout, ProcessIdentity(pid=2**30, started="long ago"))
    assert Stage.of_local() is None
    with pytest.raises(NoStackError, match="no key for"):
        key_for(GATEWAY, "quant", Stage.of_local(), {})


@pytest.mark.parametrize("key", ["ä", "a\x00b", "a\r\nb"])
def test_characters_that_no_key_has(key: str) -> None:
    with pytest.raises(WrongInput, match="characters that no key has"):
        key_for(ELSEWHERE, "quant", None, {"LLMO_API_KEY": key})


def test_a_run_that_is_resumed_gets_a_key_for_each_arm(stack: Stage) -> None:
    arms = [
        {"name": "direct", "url": ENGINE, "model": "m"},
        {"name": "through", "url": GATEWAY, "model": "eval"},
    ]
    elsewhere = [{"name": "stage", "url": ELSEWHERE, "model": "eval"}]

    assert keys_for(plan(arms=arms), stack, OF_A_STAGE) == {"direct": "engines", "through": "evals"}
    assert keys_for(plan(arms=elsewhere), stack, OF_A_STAGE) == {"stage": "of-a-stage"}


@pytest.mark.parametrize("given", ["", "localhost:8000", "ftp://x", "http://", "http://a:b@c"])
def test_an_address_that_is_none_is_told_with_its_option(given: str) -> None:
    with pytest.raises(WrongInput, match=f"--gateway '{given}' is no address"):
        address("--gateway", given)


def test_no_key_is_shown(stack: Stage) -> None:
    assert not {"admin", "quants", "engines"} & set(repr(stack).replace("'", " ").split())
