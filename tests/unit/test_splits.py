"""Weights in force: stored, remembered while the store is away, else declared."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from chalicelib import routing
from chalicelib.connections import Connections
from chalicelib.dynamodb import DynamoDb
from chalicelib.errors import GatewayError, StoreUnavailable
from chalicelib.splits import REFRESH_S, RoutingStore, check_weights
from tests.support.clocks import Clock
from tests.support.dynamodb import Unreliable
from tests.support.local_aws import LocalAws
from tests.support.teams import team

TEAM: Final = team({"a": 80, "b": 20})
DECLARED: Final = {"a": 80, "b": 20}
CHANGED: Final = {"a": 70, "b": 30}


class Lambda:
    """One process: its own memory, its own clock, the shared tables."""

    def __init__(self, aws: Unreliable, tables: dict[str, str]) -> None:
        self.aws = aws
        self.clock = Clock()
        self.store = RoutingStore(
            DynamoDb(aws),
            routing_table=tables["ROUTING_TABLE"],
            audit_table=tables["AUDIT_TABLE"],
            monotonic=self.clock,
            clock=self.clock,
        )

    def weights(self) -> dict[str, int]:
        return dict(self.store.current().split(TEAM).weights)

    def put(self, weights: dict[str, int], expected: int) -> None:
        self.store.put_split(
            TEAM, weights, expected_version=expected, actor="tester", correlation_id="c-1"
        )


@pytest.fixture
def tables(aws: LocalAws) -> dict[str, str]:
    return aws.tables()


@pytest.fixture
def connections() -> Iterator[Connections]:
    with closing(Connections()) as made:
        yield made


@pytest.fixture
def one(aws: LocalAws, tables: dict[str, str], connections: Connections) -> Lambda:
    return Lambda(Unreliable(aws.env(), connections), tables)


@pytest.fixture
def two(aws: LocalAws, tables: dict[str, str], connections: Connections) -> Lambda:
    return Lambda(Unreliable(aws.env(), connections), tables)


def test_before_any_change_the_declared_weights_hold(one: Lambda) -> None:
    split = one.store.current().split(TEAM)
    assert (split.weights, split.version) == (DECLARED, 0)


def test_a_change_is_in_force_at_once_where_it_was_made(one: Lambda) -> None:
    one.put(CHANGED, 0)
    split = one.store.current().split(TEAM)
    assert (split.weights, split.version) == (CHANGED, 1)
    assert one.store.current().source == "stored"


def test_every_other_process_follows_within_its_refresh(one: Lambda, two: Lambda) -> None:
    assert two.weights() == DECLARED
    one.put(CHANGED, 0)
    two.clock.advance(REFRESH_S - 0.1)
    assert two.weights() == DECLARED
    two.clock.advance(0.1)
    assert two.weights() == CHANGED
    assert REFRESH_S <= 10


def test_the_store_is_asked_once_a_refresh_not_once_a_request(one: Lambda) -> None:
    for _ in range(10):
        one.store.current()
    assert one.aws.calls == 1


def test_with_the_store_away_from_the_start_the_declared_weights_hold(one: Lambda) -> None:
    one.aws.away = True
    assert one.weights() == DECLARED
    assert one.store.current().source == "declared"
    assert one.aws.calls == 1  # a store that is away isn't asked at every request either


def test_with_the_store_away_later_what_was_read_stays_in_force(one: Lambda) -> None:
    one.put(CHANGED, 0)
    one.aws.away = True
    one.clock.advance(REFRESH_S)
    assert one.weights() == CHANGED
    assert one.store.current().source == "stale"
    one.aws.away = False
    one.clock.advance(REFRESH_S)
    assert one.store.current().source == "stored"


def test_a_change_at_another_version_is_a_conflict_and_changes_nothing(
    one: Lambda, two: Lambda
) -> None:
    one.put(CHANGED, 0)
    for expected in (0, 2, 7):
        with pytest.raises(GatewayError) as caught:
            two.put({"a": 1, "b": 99}, expected)
        assert (caught.value.code, caught.value.param) == ("conflict", "version")
    assert two.weights() == CHANGED


def test_a_change_that_cannot_be_written_is_an_error(one: Lambda) -> None:
    one.aws.away = True
    with pytest.raises(StoreUnavailable):
        one.put(CHANGED, 0)
    assert one.weights() == DECLARED


def test_a_change_that_was_written_is_told_so_though_the_store_goes_away(one: Lambda) -> None:
    one.aws.away_after = 2  # it is read, then written
    one.put(CHANGED, 0)
    assert one.weights() == CHANGED


def test_a_change_and_its_audit_record_are_written_together(
    one: Lambda, aws: LocalAws, tables: dict[str, str]
) -> None:
    one.put(CHANGED, 0)
    with pytest.raises(GatewayError):
        one.put(CHANGED, 0)
    (record,) = aws.items(tables["AUDIT_TABLE"])
    assert record["actor"] == {"S": "tester"}
    assert record["correlation_id"] == {"S": "c-1"}
    assert record["subject"] == {"S": "team:team"}


def test_every_version_that_ever_held_can_be_replayed(one: Lambda, two: Lambda) -> None:
    history = [DECLARED, CHANGED, {"a": 0, "b": 100}, CHANGED]
    for version, weights in enumerate(history[1:]):
        one.put(weights, version)
    for weights in history:
        assert two.store.past_weights(TEAM, routing.version(TEAM, weights)) == weights
    assert two.store.past_weights(TEAM, "000000000000") is None


def test_stored_weights_of_variants_that_are_gone_leave_the_declared_ones(
    one: Lambda,
) -> None:
    one.put(CHANGED, 0)
    renamed = team({"c": 60, "d": 40})
    split = one.store.current().split(renamed)
    assert (split.weights, split.version) == ({"c": 60, "d": 40}, 1)


def test_one_process_of_all_claims_a_probe(one: Lambda, two: Lambda) -> None:
    now = one.clock()
    one.store.put_open_until("vllm:one", now)
    assert one.store.claim_probe("vllm:one", now + 15)
    assert not two.store.claim_probe("vllm:one", now + 15)
    two.clock.advance(15)
    assert two.store.claim_probe("vllm:one", now + 30)


def test_what_one_opened_the_other_reads(one: Lambda, two: Lambda) -> None:
    one.store.put_open_until("vllm:one", 123.5)
    assert two.store.current().open_until == {"vllm:one": 123.5}


def test_weights_that_are_a_split_are_taken() -> None:
    assert check_weights(TEAM, {"a": 100}) == {"a": 100}
    assert check_weights(TEAM, CHANGED) == CHANGED


@pytest.mark.parametrize(
    ("weights", "code", "param"),
    [
        ([], "invalid_request", "split"),
        ({}, "invalid_request", "split"),
        ({"a": 99}, "invalid_request", "split"),
        ({"a": 60, "b": 60}, "invalid_request", "split"),
        ({"a": 101}, "invalid_request", "split.a"),
        ({"a": -1}, "invalid_request", "split.a"),
        ({"a": True}, "invalid_request", "split.a"),
        ({"a": 100.0}, "invalid_request", "split.a"),
        ({"a": None}, "invalid_request", "split.a"),
        ({"x": 100}, "unknown_variant", "variant"),
    ],
)
def test_weights_that_are_none_are_refused(weights: object, code: str, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        check_weights(TEAM, weights)
    assert (caught.value.code, caught.value.param) == (code, param)
