"""Asking targets in order until one answers properly, never past the deadline.

The loop knows neither HTTP nor OpenAI: what it calls is handed in, so an adapter that streams asks
with a function that returns at the first event.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from chalicelib.breaker import Health
from chalicelib.config import Target, Team, Variant
from chalicelib.deadline import Deadline
from chalicelib.errors import (
    RETRYABLE_ON_THE_SAME_TARGET,
    CallerFault,
    GatewayError,
    UpstreamFailure,
)

Answer = TypeVar("Answer")

LONGEST_PAUSE_S: Final = 5.0
"""Told to wait longer, the caller had better know."""
_RANDOM: Final = random.SystemRandom()  # keeps no state that a restored snapshot would repeat


class Candidate(NamedTuple):
    """A variant at one of its targets."""

    variant: Variant
    target: Target


class Failed(NamedTuple):
    candidate: Candidate
    failure: UpstreamFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched(Generic[Answer]):
    """An answer, who gave it, and who failed or was passed over before."""

    answer: Answer
    candidate: Candidate
    failures: tuple[Failed, ...]

    @property
    def fallback(self) -> str | None:
        """`<from>:<reason>` where another target than the first in order had to answer."""
        for candidate, failure in self.failures:
            if candidate is not self.candidate:
                return f"{candidate.target.name}:{failure.reason}"
        return None


class Targets(Protocol):
    """What is known of the targets' health."""

    def health(self, target: str) -> Health: ...
    def opens_again_in(self, target: str) -> float: ...
    def may_probe(self, target: str) -> bool: ...
    def record(self, target: str, *, ok: bool) -> None: ...


def candidates(team: Team, chosen: Variant) -> list[Candidate]:
    """Where the chosen variant can be reached, then, only where the team allows it, the others."""
    variants = [chosen]
    if team.cross_variant_fallback:
        variants += [variant for variant in team.variants.values() if variant is not chosen]
    return [Candidate(variant=v, target=target) for v in variants for target in v.targets]


def dispatch(
    team: Team,
    options: Sequence[Candidate],
    ask: Callable[[Candidate, Deadline], Answer],
    *,
    targets: Targets,
    deadline: Deadline,
    sleep: Callable[[float], None] = time.sleep,
) -> Dispatched[Answer]:
    """The first proper answer.

    Raises:
        GatewayError: `upstream_error`, `upstream_timeout` or `no_healthy_target`; or
            `invalid_request`, where the target finds fault with the request.
    """
    waiting = deque(options)
    failures: list[Failed] = []
    asked = 0
    while asked < team.max_attempts and not deadline.passed:
        candidate = _next_available(waiting, targets, failures)
        if candidate is None:
            candidate = _worth_repeating(failures, deadline, sleep)
        if candidate is None:
            break
        asked += 1
        another = asked < team.max_attempts and any(
            targets.health(o.target.name) == "closed" for o in waiting
        )
        patience = deadline.within(team.attempt_timeout_s) if another else deadline
        try:
            answer = ask(candidate, patience)
        except CallerFault as fault:
            targets.record(candidate.target.name, ok=True)
            raise GatewayError("invalid_request", fault.message, param=fault.param) from None
        except UpstreamFailure as failure:
            # A throttled target is busy, not sick.
            targets.record(candidate.target.name, ok=failure.reason == "throttled")
            failures.append(Failed(candidate, failure))
        else:
            targets.record(candidate.target.name, ok=True)
            return Dispatched(answer=answer, candidate=candidate, failures=tuple(failures))
    raise _refusal(team, failures, options, targets) if asked or not deadline.passed else _late()


def _next_available(
    waiting: deque[Candidate], targets: Targets, failures: list[Failed]
) -> Candidate | None:
    """The first that is well, or whose turn to be probed this request has won."""
    while waiting:
        candidate = waiting.popleft()
        name = candidate.target.name
        health = targets.health(name)
        if health == "closed" or (health == "probing" and targets.may_probe(name)):
            return candidate
        failures.append(Failed(candidate, UpstreamFailure("open")))
    return None


def _worth_repeating(
    failures: Sequence[Failed], deadline: Deadline, sleep: Callable[[float], None]
) -> Candidate | None:
    """The last one asked, after a pause, where asking again is safe and may help."""
    asked = _asked(failures)
    if not asked or asked[-1].failure.reason not in RETRYABLE_ON_THE_SAME_TARGET:
        return None
    candidate, failure = asked[-1]
    pause = failure.retry_after_s or _RANDOM.uniform(0.05, 0.15)
    if pause > LONGEST_PAUSE_S or pause >= deadline.remaining:
        return None
    sleep(pause)
    return candidate


def _refusal(
    team: Team, failures: Sequence[Failed], options: Sequence[Candidate], targets: Targets
) -> GatewayError:
    asked = _asked(failures)
    if not asked:
        waits = [targets.opens_again_in(option.target.name) for option in options]
        return GatewayError(
            "no_healthy_target",
            f"No target of team {team.name!r} is healthy now.",
            retry_after_s=max(1.0, min(waits, default=1.0)),
        )
    last = asked[-1].failure
    told = ", ".join(
        f"{failed.candidate.target.name} ({failed.failure.reason})" for failed in failures
    )
    return GatewayError(
        "upstream_timeout" if last.reason == "timeout" else "upstream_error",
        f"No target of team {team.name!r} answered properly: {told}.",
        retry_after_s=last.retry_after_s,
    )


def _asked(failures: Sequence[Failed]) -> list[Failed]:
    return [failed for failed in failures if failed.failure.reason != "open"]


def _late() -> GatewayError:
    return GatewayError("upstream_timeout", "No time was left to ask a target.")
