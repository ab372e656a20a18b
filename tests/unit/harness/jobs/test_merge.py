"""Shards add up to the whole, or the run is INVALID."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from harness.aggregate import Aggregate
from harness.errors import StoreError
from harness.histogram import Histogram
from harness.jobs.merge import merge, total
from harness.jobs.shards import cut
from harness.jobs.steps import plan_in, prepare
from harness.jobs.store import FolderStore
from harness.jobs.work import Finished, name_of
from harness.plan import Plan
from harness.verdict import Verdict
from tests.support.jobs import ROWS, plan, recorded

PLANNED = 6_400
LOAD = {"arrivals": {"type": "constant", "rate": 1000}, "count": PLANNED, "warmup": 100}


def whole_plan(shards: int = 64) -> Plan:
    return plan(LOAD, shards=shards, arms=2, expect={"max_error_rate": 0.5})


def of_shard(whole: Plan, number: int) -> Finished:
    indices = cut(whole, PLANNED)[number].indices(PLANNED)
    return Finished(
        shard=number,
        attempt="00000000",
        records=(),
        health=(),
        late_s=0.0,
        gave_up=False,
        aggregate=Aggregate.of(recorded(whole, ROWS, indices), whole, planned=PLANNED),
    )


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A run of 64 shards that all finished."""
    store = FolderStore(tmp_path / "run")
    whole = whole_plan()
    prepare(store, whole, ROWS, start_in_s=0)
    for number in range(64):
        write(store, of_shard(whole, number))
    return store


def write(store: FolderStore, done: Finished, name: str = "") -> None:
    """With a client that was fit, where nothing is said of it."""
    if not done.aggregate.wall_ns:
        done.aggregate.wall_ns, done.aggregate.cpu_ns = 1_000_000_000, 100_000_000
        done.aggregate.loop_lag = Histogram.of([100])
    store.put(name or name_of(done.shard), msgspec.json.encode(done))


def changed(store: FolderStore, number: int, change: Callable[[Finished], Finished]) -> None:
    write(store, change(of_shard(plan_in(store), number)))


def reasons(store: FolderStore) -> tuple[Verdict, dict[str, str]]:
    summary = merge(store)
    return summary.verdict, {
        finding.name: finding.reason
        for finding in summary.findings
        if finding.verdict is Verdict.INVALID
    }


@pytest.mark.parametrize("shards", [1, 3, 64])
def test_shards_add_up_to_the_whole_bucket_for_bucket(shards: int) -> None:
    parts_plan = whole_plan(shards)
    whole = Aggregate.of(recorded(parts_plan, ROWS, range(PLANNED)), parts_plan, planned=PLANNED)
    through_json = (
        msgspec.json.decode(
            msgspec.json.encode(of_shard(parts_plan, number).aggregate), type=Aggregate
        )
        for number in range(shards)
    )
    assert total(through_json, Aggregate.of((), parts_plan, planned=PLANNED)) == whole
    assert whole.arms["arm0"].latency.total > 2_000  # it is not nothing that is equal


def test_a_merged_run_is_told_as_one(store: FolderStore) -> None:
    summary = merge(store)
    assert (summary.verdict, summary.planned, summary.recorded) == (Verdict.PASS, PLANNED, PLANNED)
    assert b'"PASS"' in store.get("summary.json")


def test_merging_again_says_the_same(store: FolderStore) -> None:
    assert merge(store) == merge(store)


def test_a_lost_shard_makes_it_invalid(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "run" / name_of(17)).unlink()
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert why.keys() == {"ledger", "shards"}
    assert why["shards"].startswith("1 of 64 shards never finished, e.g. 17")
    assert why["ledger"].startswith("100 never recorded, e.g. 34 to 35")


def test_a_shard_that_is_there_twice_makes_it_invalid(store: FolderStore) -> None:
    write(store, of_shard(plan_in(store), 5), "shards/0064.json")
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert "100 recorded more than once" in why["ledger"]


def test_no_shard_at_all_is_invalid_and_not_a_crash(store: FolderStore, tmp_path: Path) -> None:
    for number in range(64):
        (tmp_path / "run" / name_of(number)).unlink()
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert "64 of 64 shards never finished" in why["shards"]


def test_a_shard_that_began_late_makes_it_invalid(store: FolderStore) -> None:
    changed(store, 3, lambda done: replace(done, late_s=12.5))
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert why == {
        "common start": "shard 3 began 12.5 s after the common start, so the load was another than "
        "planned: give the functions more time to start"
    }


def test_one_saturated_client_among_64_is_not_averaged_away(store: FolderStore) -> None:
    second = 1_000_000_000

    def busy(done: Finished) -> Finished:
        done.aggregate.wall_ns, done.aggregate.cpu_ns = second, second * 99 // 100
        done.aggregate.loop_lag = Histogram.of([100])
        return done

    changed(store, 9, busy)
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert why.keys() == {"every client"}
    assert why["every client"].startswith(
        "1 of 64 shards had a client that was not fit, e.g. 9: the client used 0.99 of a core"
    )


def test_one_shard_whose_client_nobody_watched_is_not_averaged_away(store: FolderStore) -> None:
    store.put(name_of(9), msgspec.json.encode(of_shard(plan_in(store), 9)))
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert why.keys() == {"every client"}
    assert "the client's own health was not recorded" in why["every client"]


def test_a_torn_object_is_named(store: FolderStore) -> None:
    store.put(name_of(2), b'{"shard": 2, "att')
    with pytest.raises(StoreError, match=r"shards/0002\.json"):
        merge(store)


def test_one_shard_that_sent_late_is_not_averaged_away(store: FolderStore) -> None:
    def late(done: Finished) -> Finished:
        done.aggregate.dispatch_lag = Histogram.of([100] * 90 + [40_000] * 10)
        return done

    changed(store, 9, late)
    verdict, why = reasons(store)
    assert verdict is Verdict.INVALID
    assert why.keys() == {"every client"}
    assert why["every client"].startswith(
        "1 of 64 shards had a client that was not fit, e.g. 9: 99 % of requests were sent within 40"
    )
