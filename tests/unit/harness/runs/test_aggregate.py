"""What records add up to, and that parts add up to the whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.aggregate import Aggregate, Fold
from harness.histogram import Histogram
from harness.plan import Plan
from harness.records import Record
from harness.summarise import summarise
from harness.verdict import Verdict
from tests.support.harness_runs import MS, record
from tests.support.harness_runs import plan as plan_of_tests


@dataclass(frozen=True)
class Stretch:
    wall_ns: int
    cpu_ns: int
    loop_lag: Histogram
    refused: int


def plan(**changed: object) -> Plan:
    return plan_of_tests(
        **{
            "load": {"arrivals": {"type": "constant", "rate": 10.0}, "count": 3},
            "validity": {},
            "expect": {},
            **changed,
        }
    )


def streamed(index: int, *, tokens: int = 3) -> Record:
    start = index * MS
    return record(
        index,
        first_ns=start + 5 * MS,
        end_ns=start + (5 + 4 * (tokens - 1)) * MS,
        gaps_us=(4_000,) * (tokens - 1),
        prompt_tokens=10,
        completion_tokens=tokens,
        cached_tokens=4,
        finish_reason="stop",
        output="abc",
        variant="v",
        target="t",
    )


def passes_even(record: Record) -> bool | None:
    return None if record.index % 5 == 4 else record.index % 2 == 0 and record.ok


@st.composite
def recorded(draw: st.DrawFn) -> Record:
    index = draw(st.integers(0, 400))
    if draw(st.booleans()):
        return streamed(index, tokens=draw(st.integers(1, 40)))
    error = draw(st.sampled_from(["", "http_5xx", "timeout"]))
    took = draw(st.integers(0, 10**11))
    return record(
        index,
        arm=draw(st.sampled_from(["a", "b"])),
        end_ns=index * MS + 1_000 + took,
        error=error,
        status=0 if error == "timeout" else 200,
    )


def aggregate(records: Iterable[Record], of: Plan) -> Aggregate:
    return Aggregate.of(
        records, of, passes_even, categories={"p0": "even", "p1": "odd"}, planned=401
    )


TWO_ARMS = plan(
    arms=[{"name": name, "url": "http://x", "model": "m"} for name in ("a", "b")],
    load={"arrivals": {"type": "constant", "rate": 10.0}, "count": 401, "warmup": 7},
    slo={"ttft_ms": 6, "tpot_ms": 5, "latency_ms": 100},
)


def merged(parts: Sequence[Aggregate]) -> Aggregate:
    whole, *rest = parts
    for part in rest:
        whole.update(part)
    return whole


@settings(max_examples=60)
@given(
    records=st.lists(recorded(), max_size=120),
    data=st.data(),
)
def test_parts_merge_to_the_whole_however_it_was_cut(
    records: list[Record], data: st.DataObject
) -> None:
    where = data.draw(st.lists(st.integers(0, 63), min_size=len(records), max_size=len(records)))
    shards: list[list[Record]] = [[] for _ in range(64)]
    for shard, one in zip(where, records, strict=True):
        shards[shard].append(one)
    order = data.draw(st.permutations(range(64)))

    parts = merged([aggregate(shards[number], TWO_ARMS) for number in order])

    assert parts == aggregate(records, TWO_ARMS)


@given(records=st.lists(recorded(), max_size=30))
def test_it_stays_the_same_through_json(records: list[Record]) -> None:
    whole = aggregate(records, TWO_ARMS)

    assert msgspec.json.decode(msgspec.json.encode(whole), type=Aggregate) == whole


def shards_of(count: int) -> list[Aggregate]:
    return [
        Aggregate.of((streamed(index) for index in range(640) if index % count == shard), plan())
        for shard in range(count)
    ]


def ledger_of(parts: list[Aggregate]) -> tuple[Verdict, str]:
    whole = merged(parts)
    whole.planned = 640
    summary = summarise(plan(), whole)
    finding = next(one for one in summary.findings if one.name == "ledger")
    if finding.verdict is Verdict.INVALID:
        assert summary.verdict is Verdict.INVALID
    return finding.verdict, finding.reason


def test_all_of_64_shards_are_a_proper_run() -> None:
    assert ledger_of(shards_of(64))[0] is Verdict.PASS


def test_a_lost_shard_makes_the_run_invalid() -> None:
    verdict, reason = ledger_of(shards_of(64)[1:])

    assert verdict is Verdict.INVALID
    assert "10 never recorded" in reason


def test_a_doubled_shard_makes_the_run_invalid() -> None:
    shards = shards_of(64)

    verdict, reason = ledger_of([*shards, shards_of(64)[5]])

    assert verdict is Verdict.INVALID
    assert "10 recorded more than once" in reason


def test_every_figure_of_one_streamed_answer() -> None:
    whole = Aggregate.of([streamed(0)], plan(slo={"ttft_ms": 5}), lambda _: True)

    (totals,) = whole.arms.values()
    assert msgspec.structs.asdict(totals) | {} == {
        "requests": 1,
        "errors": {},
        "finish_reasons": {"stop": 1},
        "variants": {"v": 1},
        "targets": {"t": 1},
        "latency": Histogram.of([13_000]),
        "service": Histogram.of([12_999]),
        "ttft": Histogram.of([5_000]),
        "tpot": Histogram.of([4_000]),
        "gaps": Histogram.of([4_000, 4_000]),
        "pieces": 3,
        "good": 1,
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "cached_tokens": 4,
        "counted": 1,
        "cache_counted": 10,
        "output_chars": 3,
        "quality": totals.quality,
        "by_category": {},
        "rows": {"": {"p0": 1}},
        "first_ns": 0,
        "last_ns": 13 * MS,
    }
    assert (totals.quality.checked, totals.quality.passed) == (1, 1)
    assert whole.dispatch_lag == Histogram.of([1])


def test_warm_up_is_in_the_ledger_and_in_no_figure() -> None:
    warmed = plan(load={"arrivals": {"type": "constant", "rate": 1.0}, "count": 3, "warmup": 2})

    whole = Aggregate.of([streamed(0), record(1, error="http_5xx"), streamed(2)], warmed)

    assert whole.ledger.count == 3
    assert whole.arms["a"].requests == 1
    assert whole.arms["a"].errors == {}
    assert sum(second.answered for second in whole.timeline.values()) == 1


def test_a_failed_request_has_no_latency_but_a_place_in_the_timeline() -> None:
    whole = Aggregate.of([record(0, error="http_5xx", status=500, end_ns=2_500 * MS)], plan())

    totals = whole.arms["a"]
    assert (totals.requests, totals.failed, totals.answered) == (1, 1, 0)
    assert totals.latency.total == 0
    assert {second: one.failed for second, one in whole.timeline.items()} == {2: 1}


def test_a_request_that_found_no_connection_tells_nothing_of_the_client() -> None:
    refused = record(0, error="connect", status=0, sent_ns=900 * MS, end_ns=901 * MS)

    assert Aggregate.of([refused], plan()).dispatch_lag.total == 0


@pytest.mark.parametrize(
    ("slo", "good"),
    [
        ({}, 1),
        ({"ttft_ms": 5}, 1),
        ({"ttft_ms": 4.9}, 0),
        ({"tpot_ms": 4}, 1),
        ({"tpot_ms": 3.9}, 0),
        ({"latency_ms": 13}, 1),
        ({"latency_ms": 12.9}, 0),
        ({"ttft_ms": 5, "tpot_ms": 3}, 0),
    ],
)
def test_a_good_answer_meets_every_objective(slo: dict[str, float], good: int) -> None:
    assert Aggregate.of([streamed(0)], plan(slo=slo)).arms["a"].good == good


def test_what_is_not_known_of_an_answer_is_not_within_an_objective() -> None:
    whole_answer = record(0)

    assert Aggregate.of([whole_answer], plan(slo={"ttft_ms": 1e6})).arms["a"].good == 0
    assert Aggregate.of([whole_answer], plan(slo={"tpot_ms": 1e6})).arms["a"].good == 0


def test_one_token_has_no_time_per_token_to_be_slow_in() -> None:
    assert Aggregate.of([streamed(0, tokens=1)], plan(slo={"tpot_ms": 0.001})).arms["a"].good == 1


def test_the_clients_health_adds_up() -> None:
    stretch = Stretch(wall_ns=10, cpu_ns=4, loop_lag=Histogram.of([7]), refused=2)

    whole = Aggregate.of([], plan(), health=[stretch, stretch])

    assert (whole.wall_ns, whole.cpu_ns, whole.refused) == (20, 8, 4)
    assert whole.loop_lag == Histogram.of([7, 7])


def test_a_running_fold_is_up_to_date_whenever_it_is_asked() -> None:
    whole = Aggregate.of([], plan())
    fold = Fold(whole, plan())
    for index in range(10):
        fold.add(streamed(index))
        fold.finish()

    assert whole == Aggregate.of(map(streamed, range(10)), plan())


def test_a_record_of_an_arm_that_was_not_planned_is_refused() -> None:
    with pytest.raises(KeyError):
        Aggregate.of([record(0, arm="other")], plan())
