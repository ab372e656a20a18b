"""Targets in order until one answers, never past the deadline."""

from collections.abc import Callable
from typing import Final

import pytest

from chalicelib.breaker import Health
from chalicelib.config import Team
from chalicelib.deadline import Deadline
from chalicelib.dispatch import Candidate, Dispatched, candidates, dispatch
from chalicelib.errors import (
    RETRYABLE_ON_THE_SAME_TARGET,
    CallerFault,
    GatewayError,
    Reason,
    UpstreamFailure,
)
from tests.support.teams import team

TWO: Final = ("vllm:one", "vllm:two")
Outcome = str | Exception


class Scene:
    """A dispatch with everything around it played: targets, answers, sleep."""

    def __init__(self, there: Team, outcomes: dict[str, list[Outcome]]) -> None:
        self.team = there
        self.outcomes = outcomes
        self.states: dict[str, Health] = {}
        self.wins_probe = True
        self.asked: list[str] = []
        self.patience: list[float] = []
        self.recorded: list[tuple[str, bool]] = []
        self.slept: list[float] = []

    def health(self, target: str) -> Health:
        return self.states.get(target, "closed")

    def opens_again_in(self, target: str) -> float:
        return {"vllm:one": 12.0, "vllm:two": 4.0}.get(target, 0.0)

    def may_probe(self, target: str) -> bool:
        return self.states.get(target) == "probing" and self.wins_probe

    def record(self, target: str, *, ok: bool) -> None:
        self.recorded.append((target, ok))

    def ask(self, candidate: Candidate, deadline: Deadline) -> str:
        self.asked.append(candidate.target.name)
        self.patience.append(deadline.remaining)
        outcome = self.outcomes[candidate.target.name].pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def run(self, seconds: float = 10) -> Dispatched[str]:
        first = next(iter(self.team.variants.values()))
        return dispatch(
            self.team,
            candidates(self.team, first),
            self.ask,
            targets=self,
            deadline=Deadline.after(seconds),
            sleep=self.slept.append,
        )


Play = Callable[..., Scene]


def play(*targets: str, **outcomes: list[Outcome]) -> Scene:
    named = {f"vllm:{name}": list(played) for name, played in outcomes.items()}
    return Scene(team({"v": 100}, targets=targets or TWO), named)


def failed(reason: Reason, retry_after_s: float | None = None) -> UpstreamFailure:
    return UpstreamFailure(reason, retry_after_s=retry_after_s)


def test_the_first_target_in_order_answers() -> None:
    scene = play(one=["yes"])
    given = scene.run()
    assert (given.answer, given.candidate.target.name, given.fallback) == ("yes", "vllm:one", None)
    assert (scene.asked, scene.recorded) == (["vllm:one"], [("vllm:one", True)])


@pytest.mark.parametrize(
    "reason",
    [
        "connect",
        "timeout",
        "reset",
        "throttled",
        "unavailable",
        "rejected",
        "garbage",
        "aborted",
        "wrong_model",
        "too_large",
    ],
)
def test_any_failure_of_the_first_is_made_good_by_the_second(reason: Reason) -> None:
    scene = play(one=[failed(reason)], two=["yes"])
    given = scene.run()
    assert given.answer == "yes"
    assert given.fallback == f"vllm:one:{reason}"
    assert scene.asked == ["vllm:one", "vllm:two"]
    assert scene.slept == []


def test_a_throttled_target_is_busy_not_sick() -> None:
    scene = play(one=[failed("throttled")], two=["yes"])
    scene.run()
    assert scene.recorded == [("vllm:one", True), ("vllm:two", True)]


def test_a_failure_counts_against_its_target() -> None:
    scene = play(one=[failed("aborted")], two=["yes"])
    scene.run()
    assert scene.recorded == [("vllm:one", False), ("vllm:two", True)]


@pytest.mark.parametrize("reason", sorted(RETRYABLE_ON_THE_SAME_TARGET))
def test_the_only_target_is_asked_again_where_that_is_safe(reason: Reason) -> None:
    scene = play("vllm:one", one=[failed(reason), "yes"])
    given = scene.run()
    assert (given.answer, given.fallback) == ("yes", None)
    (pause,) = scene.slept
    assert 0.05 <= pause <= 0.15


@pytest.mark.parametrize("reason", ["timeout", "reset", "rejected", "garbage", "aborted"])
def test_and_is_not_asked_again_where_it_may_have_begun_or_cannot_help(reason: Reason) -> None:
    scene = play("vllm:one", one=[failed(reason), "too late"])
    with pytest.raises(GatewayError):
        scene.run()
    assert scene.asked == ["vllm:one"]


def test_a_target_is_left_in_peace_as_long_as_it_asks() -> None:
    scene = play("vllm:one", one=[failed("throttled", 3.0), "yes"])
    assert scene.run().answer == "yes"
    assert scene.slept == [3.0]


def test_but_not_past_the_deadline() -> None:
    scene = play("vllm:one", one=[failed("throttled", 30.0), "too late"])
    with pytest.raises(GatewayError) as caught:
        scene.run(seconds=10)
    assert scene.slept == []
    assert (caught.value.code, caught.value.retry_after_s) == ("upstream_error", 30.0)


def test_no_more_attempts_are_made_than_the_team_allows() -> None:
    scene = Scene(
        team({"v": 100}, targets=("vllm:a", "vllm:b", "vllm:c"), max_attempts=2),
        {f"vllm:{name}": [failed("connect")] for name in "abc"},
    )
    with pytest.raises(GatewayError) as caught:
        scene.run()
    assert scene.asked == ["vllm:a", "vllm:b"]
    assert caught.value.message == (
        "No target of team 'team' answered properly: vllm:a (connect), vllm:b (connect)."
    )


def test_the_callers_fault_is_told_and_nobody_else_is_asked() -> None:
    scene = play(one=[CallerFault("too long", param="max_tokens")], two=["never"])
    with pytest.raises(GatewayError) as caught:
        scene.run()
    assert (caught.value.code, caught.value.param) == ("invalid_request", "max_tokens")
    assert scene.asked == ["vllm:one"]
    assert scene.recorded == [("vllm:one", True)]


def test_while_another_could_answer_one_is_waited_for_only_so_long() -> None:
    scene = play(one=[failed("timeout")], two=["yes"])
    scene.run(seconds=9)
    first, second = scene.patience
    assert first <= 5  # the team's attempt timeout
    assert 5 < second <= 9  # all that is left


def test_the_only_target_gets_all_the_time() -> None:
    scene = play("vllm:one", one=["yes"])
    scene.run(seconds=9)
    assert 5 < scene.patience[0] <= 9


def test_where_the_other_is_open_the_first_gets_all_the_time() -> None:
    scene = play(one=["yes"])
    scene.states = {"vllm:two": "open"}
    scene.run(seconds=9)
    assert 5 < scene.patience[0] <= 9


def test_past_the_deadline_nobody_is_asked() -> None:
    scene = play(one=["too late"])
    with pytest.raises(GatewayError):
        scene.run(seconds=0)
    assert scene.asked == []


@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        (("connect", "timeout"), "upstream_timeout"),
        (("timeout", "connect"), "upstream_error"),
        (("garbage", "aborted"), "upstream_error"),
    ],
)
def test_the_last_failure_decides_what_the_caller_is_told(
    reasons: tuple[Reason, Reason], code: str
) -> None:
    scene = play(one=[failed(reasons[0])], two=[failed(reasons[1])])
    with pytest.raises(GatewayError) as caught:
        scene.run()
    assert caught.value.code == code


def test_an_open_target_is_passed_over() -> None:
    scene = play(two=["yes"])
    scene.states = {"vllm:one": "open"}
    given = scene.run()
    assert (given.answer, scene.asked) == ("yes", ["vllm:two"])


def test_the_winner_of_a_probe_asks_and_the_loser_goes_on() -> None:
    winner = play(one=["well again"])
    winner.states = {"vllm:one": "probing"}
    assert winner.run().answer == "well again"
    loser = play(two=["yes"])
    loser.states, loser.wins_probe = {"vllm:one": "probing"}, False
    assert loser.run().answer == "yes"
    assert loser.asked == ["vllm:two"]


def test_when_all_are_open_the_caller_learns_when_to_come_back() -> None:
    scene = play()
    scene.states = {"vllm:one": "open", "vllm:two": "open"}
    with pytest.raises(GatewayError) as caught:
        scene.run()
    assert (caught.value.code, caught.value.retry_after_s) == ("no_healthy_target", 4.0)


def test_another_variant_answers_only_where_the_team_allows_it() -> None:
    weights = {"a": 50, "b": 50}
    apart = team(weights)
    together = team(weights, cross_variant_fallback=True)
    chosen = apart.variants["b"]
    assert [option.variant.name for option in candidates(apart, chosen)] == ["b"]
    chosen = together.variants["b"]
    assert [option.variant.name for option in candidates(together, chosen)] == ["b", "a"]


def test_a_target_passed_over_counts_as_fallen_back_from() -> None:
    """Nobody asked it, and still the answer isn't from where the caller would expect."""
    scene = play(two=["yes"])
    scene.states["vllm:one"] = "open"
    given = scene.run()
    assert (given.fallback, scene.asked) == ("vllm:one:open", ["vllm:two"])


def test_a_pause_longer_than_a_caller_would_bear_is_left_to_the_caller() -> None:
    scene = play("vllm:one", one=[failed("throttled", retry_after_s=6)])
    with pytest.raises(GatewayError) as raised:
        scene.run()
    assert (raised.value.code, raised.value.retry_after_s) == ("upstream_error", 6)
    assert scene.slept == []


def test_without_time_nobody_is_asked_and_nobody_is_called_sick() -> None:
    scene = play()
    with pytest.raises(GatewayError) as raised:
        scene.run(seconds=0)
    assert (raised.value.code, scene.asked) == ("upstream_timeout", [])
