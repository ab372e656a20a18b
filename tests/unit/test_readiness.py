"""Can every team be answered? Asked of the targets, and remembered for a few seconds."""

from collections.abc import Mapping

import pytest

from chalicelib.backends import Backend
from chalicelib.backends.fake import Behaviour, FakeBackend
from chalicelib.config import BreakerPolicy, Config
from chalicelib.errors import ConfigError
from chalicelib.readiness import KEEP_S, ReadinessCheck
from tests.support.clocks import Clock
from tests.support.teams import team

CONFIG = Config(
    teams={"team": team({"a": 50, "b": 50}, targets=("vllm:one", "vllm:two"))},
    breaker=BreakerPolicy(),
)


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.backend = FakeBackend()
        self.asked = 0
        self.check = ReadinessCheck(lambda: CONFIG, self._backends, clock=self.clock)

    def _backends(self) -> Mapping[str, Backend]:
        self.asked += 1
        return {"vllm": self.backend}

    def down(self, *places: str) -> None:
        for place in places:
            self.backend.engines[place].behaviour = Behaviour(fault="refuse")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_team_is_ready_where_one_target_answers(scene: Scene) -> None:
    scene.down("one")
    assert scene.check.current().document() == {
        "status": "ready",
        "teams": {
            "team": {
                "ready": True,
                "variants": {
                    "a": {"vllm:one": "connect", "vllm:two": "ok"},
                    "b": {"vllm:one": "connect", "vllm:two": "ok"},
                },
            }
        },
    }


def test_a_team_without_any_is_not_and_says_why(scene: Scene) -> None:
    scene.down("one", "two")
    readiness = scene.check.current()
    assert readiness.ready is False
    assert readiness.document() == {
        "status": "not_ready",
        "teams": {
            "team": {
                "ready": False,
                "reason": "no target answers for a, b",
                "variants": {
                    "a": {"vllm:one": "connect", "vllm:two": "connect"},
                    "b": {"vllm:one": "connect", "vllm:two": "connect"},
                },
            }
        },
    }


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(fault="status", status=503), "unavailable"),
        (Behaviour(fault="abort"), "aborted"),
        (Behaviour(fault="garbage"), "garbage"),
        (Behaviour(models=("another",)), "rejected"),
    ],
)
def test_an_engine_is_ok_only_where_it_gives_a_proper_answer(
    scene: Scene, behaviour: Behaviour, reason: str
) -> None:
    scene.backend.engines["one"].behaviour = behaviour
    variants = scene.check.current().teams["team"]["variants"]
    assert variants["a"] == {"vllm:one": reason, "vllm:two": "ok"}


def test_an_adapter_that_is_missing_does_not_hide_behind_the_other(scene: Scene) -> None:
    for place in ("one", "two"):
        scene.backend.engines[place].behaviour = Behaviour(models=("model-a",))
    team = scene.check.current().teams["team"]
    assert team["ready"] is True
    assert team["reason"] == "no target answers for b"
    assert set(team["variants"]["b"].values()) == {"rejected"}


def test_however_often_it_is_asked_the_targets_are_asked_every_few_seconds(
    scene: Scene,
) -> None:
    first = scene.check.current()
    scene.down("one", "two")
    assert scene.check.current() is first
    scene.clock.advance(KEEP_S - 0.1)
    assert scene.check.current() is first
    assert scene.asked == 1
    scene.clock.advance(0.1)
    assert scene.check.current().ready is False


def test_a_configuration_that_does_not_load_is_an_error() -> None:
    def broken() -> Config:
        raise ConfigError("gateway.toml", "teams", "is missing")

    with pytest.raises(ConfigError):
        ReadinessCheck(broken, dict).current()
