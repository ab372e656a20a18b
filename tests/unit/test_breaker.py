"""A sick target is left alone, and found well again by one probe."""

from typing import Final

import pytest

from chalicelib.breaker import Breaker
from chalicelib.config import BreakerPolicy
from chalicelib.errors import StoreUnavailable
from chalicelib.splits import RoutingState
from tests.support.clocks import Clock

TARGET: Final = "vllm:one"
OK: Final = True
BAD: Final = False
POLICY: Final = BreakerPolicy(window_s=30, min_calls=5, failure_ratio=0.5, open_s=15)


class SharedState:
    """What DynamoDB would hold: shared by processes, read by each when it likes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.open_until: dict[str, float] = {}
        self.away = False

    def put_open_until(self, target: str, until: float) -> None:
        self._check()
        self.open_until[target] = until

    def claim_probe(self, target: str, until: float) -> bool:
        self._check()
        if self.open_until.get(target, 0) > self.clock():
            return False
        self.open_until[target] = until
        return True

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("dynamodb PutItem: timeout")


class Process:
    """One Lambda: a breaker, and its last reading of the shared state."""

    def __init__(self, shared: SharedState) -> None:
        self.shared = shared
        self.state = RoutingState()
        self.breaker = Breaker(POLICY, shared, lambda: self.state, clock=shared.clock)

    def reads(self) -> None:
        self.state = RoutingState(
            open_until=dict(self.shared.open_until), read_at=self.shared.clock(), source="stored"
        )

    def sees(self, *outcomes: bool) -> None:
        for ok in outcomes:
            self.breaker.record(TARGET, ok=ok)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(clock: Clock) -> SharedState:
    return SharedState(clock)


@pytest.fixture
def process(shared: SharedState) -> Process:
    return Process(shared)


def test_at_first_a_target_is_well(process: Process) -> None:
    assert process.breaker.health(TARGET) == "closed"
    assert process.breaker.opens_again_in(TARGET) == 0


def test_few_failures_say_nothing(process: Process) -> None:
    process.sees(*[BAD] * 4)
    assert process.breaker.health(TARGET) == "closed"


def test_half_of_enough_calls_failing_opens_it(process: Process, shared: SharedState) -> None:
    process.sees(OK, OK, BAD, BAD)
    assert process.breaker.health(TARGET) == "closed"
    process.sees(BAD)
    assert process.breaker.health(TARGET) == "open"
    assert process.breaker.opens_again_in(TARGET) == 15
    assert shared.open_until[TARGET] == shared.clock() + 15


def test_fewer_than_half_failing_do_not(process: Process) -> None:
    process.sees(*[OK, OK, BAD] * 20)
    assert process.breaker.health(TARGET) == "closed"


def test_failures_older_than_the_window_are_forgotten(process: Process, clock: Clock) -> None:
    process.sees(*[BAD] * 4)
    clock.advance(31)
    process.sees(BAD)
    assert process.breaker.health(TARGET) == "closed"


def test_one_sick_target_says_nothing_of_another(process: Process) -> None:
    process.sees(*[BAD] * 5)
    assert process.breaker.health("vllm:two") == "closed"


def test_when_its_time_is_over_one_request_probes_it(process: Process, clock: Clock) -> None:
    process.sees(*[BAD] * 5)
    assert not process.breaker.may_probe(TARGET)
    clock.advance(15)
    assert process.breaker.health(TARGET) == "probing"
    assert process.breaker.may_probe(TARGET)
    assert process.breaker.health(TARGET) == "open"
    assert not process.breaker.may_probe(TARGET)


def test_a_probe_that_succeeds_closes_it_for_all(process: Process, clock: Clock) -> None:
    process.sees(*[BAD] * 5)
    clock.advance(15)
    assert process.breaker.may_probe(TARGET)
    process.sees(OK)
    assert process.breaker.health(TARGET) == "closed"
    assert process.shared.open_until[TARGET] == 0
    process.sees(BAD)
    assert process.breaker.health(TARGET) == "closed"  # what was before is forgotten


def test_a_probe_that_fails_opens_it_again(process: Process, clock: Clock) -> None:
    process.sees(*[BAD] * 5)
    clock.advance(15)
    assert process.breaker.may_probe(TARGET)
    process.sees(BAD)
    assert process.breaker.health(TARGET) == "open"
    assert process.breaker.opens_again_in(TARGET) == 15


def test_a_probe_that_never_ends_is_followed_by_another(process: Process, clock: Clock) -> None:
    process.sees(*[BAD] * 5)
    clock.advance(15)
    assert process.breaker.may_probe(TARGET)
    clock.advance(15)
    assert process.breaker.health(TARGET) == "probing"
    assert process.breaker.may_probe(TARGET)


def test_a_new_process_knows_before_its_first_request(
    process: Process, shared: SharedState
) -> None:
    process.sees(*[BAD] * 5)
    late = Process(shared)
    late.reads()
    assert late.breaker.health(TARGET) == "open"


def test_of_several_processes_one_probes(
    process: Process, shared: SharedState, clock: Clock
) -> None:
    process.sees(*[BAD] * 5)
    others = [Process(shared) for _ in range(3)]
    clock.advance(15)
    for other in others:
        other.reads()
    assert [other.breaker.may_probe(TARGET) for other in others] == [True, False, False]


def test_what_others_found_is_learnt_with_the_next_reading(
    process: Process, shared: SharedState, clock: Clock
) -> None:
    process.sees(*[BAD] * 5)
    clock.advance(1)
    shared.put_open_until(TARGET, 0)
    assert process.breaker.health(TARGET) == "open"
    process.reads()
    assert process.breaker.health(TARGET) == "closed"


def test_a_reading_from_before_ones_own_decision_changes_nothing(
    process: Process, clock: Clock
) -> None:
    process.reads()
    clock.advance(1)
    process.sees(*[BAD] * 5)
    assert process.breaker.health(TARGET) == "open"


def test_without_the_store_a_process_judges_and_probes_for_itself(
    process: Process, shared: SharedState, clock: Clock
) -> None:
    shared.away = True
    process.sees(*[BAD] * 5)
    assert process.breaker.health(TARGET) == "open"
    clock.advance(15)
    assert process.breaker.may_probe(TARGET)
    process.sees(OK)
    assert process.breaker.health(TARGET) == "closed"


def test_noting_an_outcome_reads_no_store(shared: SharedState) -> None:
    """The request's time may be over by then, and a store that hangs would be waited for."""
    reads: list[RoutingState] = []

    def read() -> RoutingState:
        reads.append(RoutingState())
        return reads[-1]

    breaker = Breaker(POLICY, shared, read, clock=shared.clock)
    assert breaker.health(TARGET) == "closed"
    for ok in (BAD, OK, BAD, BAD, BAD, BAD):
        breaker.record(TARGET, ok=ok)
    assert len(reads) == 1
    assert breaker.health(TARGET) == "open"
