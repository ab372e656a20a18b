"""How a plan is cut."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PlanError
from harness.jobs.limits import LAMBDA, check
from harness.jobs.shards import cut, part_of, seconds_of
from harness.load.items import Items
from harness.load.schedule import planned_count
from harness.plan import Closed
from tests.support.jobs import ROWS, plan

OPEN: dict[str, Any] = {"arrivals": {"type": "constant", "rate": 100}, "duration_s": 10}


def closed(concurrency: int, count: int) -> dict[str, Any]:
    return {"arrivals": {"type": "closed", "concurrency": concurrency}, "count": count}


@given(
    shards=st.integers(1, 9),
    arms=st.integers(1, 2),
    planned=st.integers(18, 500),
    concurrency=st.none() | st.integers(9, 40),
)
def test_shards_send_every_planned_request_once(
    shards: int, arms: int, planned: int, concurrency: int | None
) -> None:
    load = closed(concurrency, planned) if concurrency else OPEN
    parts = [
        list(shard.indices(planned)) for shard in cut(plan(load, shards=shards, arms=arms), planned)
    ]
    assert sorted(index for part in parts for index in part) == list(range(planned))
    assert all(part == sorted(part) for part in parts)


def test_two_arms_are_asked_the_same_item_by_the_same_shard() -> None:
    parts = [set(shard.indices(40)) for shard in cut(plan(OPEN, shards=3, arms=2), 40)]
    assert all({index ^ 1 for index in part} == part for part in parts)


def test_each_shard_of_an_open_loop_takes_every_kth_request() -> None:
    assert [list(shard.indices(10)) for shard in cut(plan(OPEN, shards=4), 10)] == [
        [0, 4, 8],
        [1, 5, 9],
        [2, 6],
        [3, 7],
    ]


def test_a_closed_loop_s_callers_are_shared_and_each_brings_its_part_of_the_requests() -> None:
    whole = plan(closed(10, 1000), shards=4)
    shards = cut(whole, 1000)
    loads = [part_of(whole, shard).load for shard in shards]
    callers = [load.arrivals.concurrency for load in loads if isinstance(load.arrivals, Closed)]
    assert callers == [2, 3, 2, 3]
    assert [len(list(shard.indices(1000))) for shard in shards] == [200, 300, 200, 300]


def test_what_may_be_in_flight_is_shared() -> None:
    whole = plan({**OPEN, "max_in_flight": 1000}, shards=4)
    assert [part_of(whole, shard).load.max_in_flight for shard in cut(whole, 1000)] == [250] * 4


@pytest.mark.parametrize(
    ("load", "shards", "planned", "reason"),
    [
        (OPEN, 2, None, "give load.count instead of duration_s"),
        (closed(3, 100), 4, 100, "a concurrency of 3 can't be shared by 4 shards"),
        (OPEN, 11, 10, "11 shards are more than its 10 items"),
        (OPEN, 1001, 5000, "1,001 shards are more than 1,000"),
    ],
)
def test_what_can_t_be_cut_is_refused(
    load: dict[str, Any], shards: int, planned: int | None, reason: str
) -> None:
    with pytest.raises(PlanError, match=reason):
        cut(plan(load, shards=shards), planned)


def test_an_open_loop_lasts_to_its_last_planned_request_and_that_one_s_timeout() -> None:
    load = {"arrivals": {"type": "constant", "rate": 10}, "count": 101}
    assert seconds_of(plan(load), 101) == 10 + 120


def test_the_last_pair_of_steps_is_within_their_time() -> None:
    """Its second request has no time of its own: there is no step after the last."""
    whole = plan({"arrivals": {"type": "steps", "rates": [7]}, "duration_s": 1}, arms=2)
    planned = Items(whole, ROWS).planned
    assert planned == 8
    assert 120 < seconds_of(whole, planned) < 121


def test_a_closed_loop_lasts_as_long_as_its_answers_may() -> None:
    whole = plan(closed(10, 100))
    assert (seconds_of(whole, 100), seconds_of(whole, 100, answer_s=2)) == (1200, 18 + 120)


@pytest.mark.parametrize(
    ("load", "answer_s", "reason"),
    [
        (
            {"arrivals": {"type": "constant", "rate": 10}, "duration_s": 800},
            None,
            r"may need 920 s .* has 810 s \(900 s less 60 to start and 30 to write\)",
        ),
        (closed(10, 100), None, "may need 1,200 s .* say how long an answer takes"),
        (closed(5000, 5000), 1.0, "1,250 streams at once .* 960: 6 shards or more"),
        (
            {"arrivals": {"type": "constant", "rate": 5000}, "duration_s": 100},
            None,
            "125,000 requests a shard are more than 100,000: 5 shards",
        ),
    ],
)
def test_what_a_function_can_t_do_in_time_is_refused_with_numbers(
    load: dict[str, Any], answer_s: float | None, reason: str
) -> None:
    whole = plan(load, shards=4)
    planned = planned_count(whole.load, whole.seed) or 0
    with pytest.raises(PlanError, match=reason):
        check(whole, planned, answer_s, LAMBDA)


def test_what_fits_is_not_refused() -> None:
    check(plan(closed(10, 100)), 100, 2.0, LAMBDA)


@pytest.mark.parametrize(("arms", "warmup"), [(1, 10), (2, 9)])
def test_a_warm_up_that_leaves_nothing_to_measure_is_refused(arms: int, warmup: int) -> None:
    with pytest.raises(PlanError, match="a warm-up of 10 leaves nothing of 10"):
        cut(plan(closed(2, 10) | {"warmup": warmup}, arms=arms), 10)
