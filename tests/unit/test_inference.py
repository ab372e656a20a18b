"""Question to answer: weights, variant, targets, breaker and deadline together."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from chalicelib.backends.fake import Behaviour, FakeBackend
from chalicelib.errors import GatewayError
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.inference import CHAT, COMPLETIONS, Inference, Question
from tests.support.clocks import in_time
from tests.support.local_aws import LocalAws
from tests.support.sockets import silent

CONFIG: Final = """
[breaker]
min_calls = 2
[teams.two]
timeout_s = 5
salt = "s"
[teams.two.variants]
a = { weight = 50, model = "model-a", targets = ["vllm:one"] }
b = { weight = 50, model = "model-b", targets = ["vllm:two"] }
[teams.safe]
timeout_s = 5
salt = "s"
cross_variant_fallback = true
[teams.safe.variants]
a = { weight = 100, model = "model-a", targets = ["vllm:one"] }
b = { weight = 0, model = "model-b", targets = ["vllm:two"] }
"""


class Scene:
    """The core over fake engines, without HTTP or a framework."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.engines = FakeBackend(sleep=lambda _: None)
        self.inference = Inference(
            routing_store=gateway.routing_store,
            breaker=gateway.breaker,
            backends={"vllm": self.engines},
            telemetry=gateway.telemetry,
        )

    def ask(
        self,
        team: str = "two",
        *,
        unit: str = "u",
        pin: str | None = None,
        path: str = CHAT,
        time_left_s: float | None = None,
    ) -> tuple[str, Exchange]:
        exchange = Exchange(method="POST", path=path, headers={}, time_left_s=time_left_s)
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}
        question = Question(
            team=self.gateway.config.teams[team],
            path=path,
            body=asked if path == CHAT else {"prompt": "hi"},
            unit=unit,
            pin=pin,
        )
        return self.inference.ask(question, exchange).text, exchange

    def breaks(self, place: str) -> None:
        self.engines.engines[place].behaviour = Behaviour(fault="reset")


@pytest.fixture
def scene(aws: LocalAws, tmp_path: Path) -> Iterator[Scene]:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG, "utf-8")
    gateway = Gateway({**aws.env(), **aws.tables(), "GATEWAY_CONFIG": str(config)})
    with closing(gateway.connections):
        yield Scene(gateway)


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_the_engine_is_asked_for_the_declared_model_under_the_given_path(
    scene: Scene, path: str
) -> None:
    text, exchange = scene.ask(pin="b", path=path)
    assert text
    ((place, call),) = scene.engines.calls
    assert (place, call.path) == ("two", path)
    assert json.loads(call.body)["model"] == "model-b"
    assert exchange.usage["completion_tokens"] > 0
    route = exchange.route
    assert (route.team, route.variant, route.target) == ("two", "b", "vllm:two")
    assert (route.reason, route.fallback) == ("pinned", None)


def test_a_body_cannot_rename_the_model(scene: Scene) -> None:
    """Even if a check before were to forget it: the declared name is not overridden."""
    exchange = Exchange(method="POST", path=CHAT, headers={})
    body = {"messages": [{"role": "user", "content": "hi"}], "model": "../x"}
    question = Question(
        team=scene.gateway.config.teams["two"], path=CHAT, body=body, unit="u", pin="a"
    )
    scene.inference.ask(question, exchange)
    ((_, call),) = scene.engines.calls
    assert json.loads(call.body)["model"] == "model-a"


def test_an_experiment_never_gets_the_other_variants_answer(scene: Scene) -> None:
    scene.breaks("one")
    with pytest.raises(GatewayError):
        scene.ask("two", pin="a")
    assert {place for place, _ in scene.engines.calls} == {"one"}


def test_where_the_team_allows_it_the_other_variant_helps_out(scene: Scene) -> None:
    scene.breaks("one")
    _, exchange = scene.ask("safe")
    assert (exchange.route.variant, exchange.route.fallback) == ("b", "vllm:one:reset")


def test_a_pinned_request_gets_its_variant_or_nothing(scene: Scene) -> None:
    scene.breaks("one")
    with pytest.raises(GatewayError) as caught:
        scene.ask("safe", pin="a")
    assert caught.value.code == "upstream_error"


def test_a_sick_target_is_left_alone_until_it_may_be_probed(scene: Scene) -> None:
    scene.breaks("one")
    for _ in range(2):
        with pytest.raises(GatewayError, match="answered properly"):
            scene.ask("two", pin="a")
    asked = len(scene.engines.calls)
    with pytest.raises(GatewayError) as caught:
        scene.ask("two", pin="a")
    assert caught.value.code == "no_healthy_target"
    assert caught.value.retry_after_s
    assert 1 <= caught.value.retry_after_s <= 15
    assert len(scene.engines.calls) == asked


def test_a_new_lambda_leaves_alone_what_another_found_sick(scene: Scene) -> None:
    scene.breaks("one")
    for _ in range(2):
        with pytest.raises(GatewayError):
            scene.ask("two", pin="a")
    late = Scene(Gateway(scene.gateway._env))
    with closing(late.gateway.connections), pytest.raises(GatewayError) as caught:
        late.ask("two", pin="a")
    assert caught.value.code == "no_healthy_target"
    assert not late.engines.calls


def test_no_time_left_is_a_timeout_and_nobody_is_asked(scene: Scene) -> None:
    with pytest.raises(GatewayError):
        scene.ask("two", time_left_s=0.2)
    assert not scene.engines.calls


@pytest.mark.parametrize("team", ["two", "safe"])
def test_an_engines_key_is_waited_for_no_longer_than_the_answer(tmp_path: Path, team: str) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.replace("timeout_s = 5", "timeout_s = 0.5"), "utf-8")
    with silent() as url:
        env = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "s",
            "ENGINE_URLS": json.dumps({"one": url, "two": url}),
            "ENGINE_KEY_SECRETS": json.dumps({"one": "k", "two": "k"}),
            "GATEWAY_CONFIG": str(config),
        }
        gateway = Gateway(env)
        question = Question(team=gateway.config.teams[team], path=CHAT, body={}, unit="u")
        gateway.routing_store.current()  # the table's own wait is another's subject

        def ask_it() -> None:
            with pytest.raises(GatewayError, match="timeout"):
                gateway.inference.ask(question, Exchange(method="POST", path=CHAT, headers={}))

        with closing(gateway.connections):
            in_time(0.5, ask_it)
