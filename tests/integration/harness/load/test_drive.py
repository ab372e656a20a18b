import asyncio
from collections import Counter
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from chalicelib.backends.fake import Behaviour
from chalicelib.backends.fake.server import FakeServer
from harness.errors import PlanError
from harness.load import failures
from harness.load.drive import drive, run_loop
from harness.plan import Arm, Burst, Closed, Constant, Load, Plan, Poisson
from harness.records import Record
from tests.support.load import driven, plan, rows
from tests.support.sockets import refusing, silent

if TYPE_CHECKING:
    from harness.load.health import Pulse


def _arm(url: str, name: str = "a", **fields: object) -> Arm:
    return Arm(name=name, url=url, model="m", stream=True, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("api", ["chat", "completions"])
def test_every_planned_request_is_recorded_once_with_what_came_back(
    api: str,
    stream: bool,  # noqa: FBT001
) -> None:
    with FakeServer(Behaviour(answer="four words are here")) as server:
        arm = Arm(name="a", url=server.url, model="m", api=api, stream=stream)
        result, records = driven(plan(arm))
    assert result.planned == 6
    assert [record.index for record in records] == list(range(6))
    assert Counter(record.prompt_id for record in records) == {f"row-{n}": 2 for n in range(3)}
    for record in records:
        assert (record.error, record.status, record.finish_reason) == ("", 200, "stop")
        assert record.output == "four words are here"
        assert record.completion_tokens == 6
        assert record.planned_ns <= record.sent_ns <= record.end_ns
        assert (record.first_ns is not None) == stream
        assert len(record.gaps_us) == (4 if stream else 0)
        assert record.correlation_id == f"run-1-{record.index}"


def test_a_closed_loop_never_has_more_in_flight_than_its_concurrency() -> None:
    with FakeServer(Behaviour(time_to_first_token_s=0.005)) as server:
        load = Load(arrivals=Closed(concurrency=4), count=40)
        _, records = driven(plan(_arm(server.url), load=load))
    edges = [(record.sent_ns, 1) for record in records] + [(r.end_ns, -1) for r in records]
    level = highest = 0
    for _, step in sorted(edges):
        level += step
        highest = max(highest, level)
    assert highest == 4


def test_a_closed_loop_by_duration_numbers_what_it_sent_without_a_gap() -> None:
    with FakeServer(Behaviour(latency_s=0.002)) as server:
        load = Load(arrivals=Closed(concurrency=3), duration_s=0.2)
        result, records = driven(plan(_arm(server.url), load=load))
    assert [record.index for record in records] == list(range(result.planned))
    assert result.planned > 3


@pytest.mark.parametrize(
    "arrivals", [Constant(rate=400), Poisson(rate=400), Burst(size=20, every_s=0.05)]
)
def test_an_open_loop_sends_everything_and_nothing_before_its_time(
    arrivals: Constant | Poisson | Burst,
) -> None:
    with FakeServer(Behaviour(latency_s=0.05)) as server:
        load = Load(arrivals=arrivals, count=100)
        result, records = driven(plan(_arm(server.url), load=load))
        assert len(server.requests) == 100
    assert (result.planned, [record.index for record in records]) == (100, list(range(100)))
    assert all(record.sent_ns >= record.planned_ns for record in records)
    assert all(record.ok for record in records)


def test_two_arms_are_asked_alike_and_with_their_own_keys() -> None:
    with (
        FakeServer(Behaviour(answer="one", api_key="key-1")) as first,
        FakeServer(Behaviour(answer="two", api_key="key-2")) as second,
    ):
        arms = (_arm(first.url, "a"), _arm(second.url, "b"))
        _, records = driven(plan(*arms), keys={"a": "key-1", "b": "key-2"})
    assert {(record.arm, record.output) for record in records} == {("a", "one"), ("b", "two")}
    by_arm = [[r.prompt_id for r in records if r.arm == name] for name in ("a", "b")]
    assert by_arm[0] == by_arm[1]


@pytest.mark.parametrize(
    ("behaviour", "error", "status"),
    [
        (Behaviour(fault="status", status=500), "http_5xx", 500),
        (Behaviour(fault="status", status=429), "http_429", 429),
        (Behaviour(fault="status", status=422), "http_4xx", 422),
        (Behaviour(api_key="other"), "http_401", 401),
        (Behaviour(fault="reset"), failures.RESET, 200),
        (Behaviour(fault="truncate"), failures.RESET, 200),
        (Behaviour(fault="garbage"), failures.GARBAGE, 200),
        (Behaviour(fault="error_body"), failures.GARBAGE, 200),
        (Behaviour(fault="abort"), failures.ABORTED, 200),
        (Behaviour(fault="stall"), failures.TIMEOUT, 200),
        (Behaviour(fault="hang"), failures.TIMEOUT, 0),
        (Behaviour(fault="huge"), failures.TOO_LARGE, 200),
        (Behaviour(fault="refuse"), failures.CONNECT, 0),
    ],
    ids=lambda value: value.fault if isinstance(value, Behaviour) else "",
)
def test_what_went_wrong_has_a_class(behaviour: Behaviour, error: str, status: int) -> None:
    with FakeServer(behaviour) as server:
        timeout_s = 0.3 if error == failures.TIMEOUT else 30
        load = Load(arrivals=Closed(concurrency=1), count=1)
        _, [record] = driven(plan(_arm(server.url, timeout_s=timeout_s), load=load))
    assert (record.error, record.status) == (error, status)
    assert failures.describe(record.error) != record.error
    assert not record.ok


def test_an_answer_without_a_choice_is_no_answer() -> None:
    with FakeServer(Behaviour(fault="no_choices")) as server:
        _, records = driven(plan(Arm(name="a", url=server.url, model="m")))
    assert {record.error for record in records} == {failures.GARBAGE}


def test_a_name_that_nobody_knows_fails_every_request() -> None:
    _, records = driven(plan(_arm("http://nowhere.invalid:8000")))
    assert {record.error for record in records} == {failures.CONNECT}
    assert len(records) == 6


def test_a_loop_by_duration_does_not_race_where_nobody_listens() -> None:
    with refusing() as url:
        load = Load(arrivals=Closed(concurrency=2), duration_s=0.25)
        _, records = driven(plan(_arm(url), load=load))
    assert 2 <= len(records) <= 8


def test_beyond_the_limit_in_flight_nothing_is_sent_and_that_is_recorded() -> None:
    with silent() as url:
        load = Load(arrivals=Constant(rate=1000), count=20, max_in_flight=5)
        health: list[Pulse] = []
        _, records = driven(plan(_arm(url, timeout_s=0.3), load=load), pulse=health.append)
    errors = [record.error for record in records]
    assert errors == [failures.TIMEOUT] * 5 + [failures.CLIENT_LIMIT] * 15
    assert sum(pulse.refused for pulse in health) == 15
    assert sum(pulse.sent for pulse in health) == 5


def test_what_the_sink_raises_for_a_request_that_was_not_sent_ends_the_run() -> None:
    def full(_: Record) -> None:
        raise OSError("no room")

    async def within(seconds: float, of: Plan) -> None:
        async with asyncio.timeout(seconds):
            await drive(of, rows(), keys={}, sink=full)

    load = Load(arrivals=Constant(rate=1000), count=20, max_in_flight=5)
    with silent() as url:
        driving = within(10, plan(_arm(url, timeout_s=60), load=load))
        with pytest.raises(OSError, match="no room"):
            run_loop(driving)


def test_a_resumed_run_sends_only_what_is_left_and_its_time_goes_on() -> None:
    begin_ns = 5_000_000_000
    with FakeServer() as server:
        load = Load(arrivals=Constant(rate=100), count=20)
        result, records = driven(
            plan(_arm(server.url), load=load), todo=[3, 5, 9], begin_ns=begin_ns
        )
    assert result.planned == 20
    assert [record.index for record in records] == [3, 5, 9]
    assert [record.planned_ns - begin_ns for record in records] == [0, 20_000_000, 60_000_000]
    assert all(record.sent_ns >= record.planned_ns for record in records)


def test_a_shard_keeps_the_times_of_the_whole() -> None:
    with FakeServer() as server:
        load = Load(arrivals=Constant(rate=100), count=20)
        _, records = driven(plan(_arm(server.url), load=load), todo=range(4, 7))
    assert [record.planned_ns for record in records] == [40_000_000, 50_000_000, 60_000_000]


def test_nothing_left_to_do_is_done_at_once() -> None:
    load = Load(arrivals=Constant(rate=100), count=20)
    result, records = driven(plan(_arm("http://127.0.0.1:9"), load=load), todo=[])
    assert (result.planned, records) == (20, [])


def test_cancelled_it_stops_and_what_was_over_is_with_the_sink() -> None:
    records: list[Record] = []

    async def main() -> None:
        enough = asyncio.Event()

        def sink(record: Record) -> None:
            records.append(record)
            if len(records) == 10:
                enough.set()

        load = Load(arrivals=Closed(concurrency=3), count=1_000_000)
        driving = asyncio.ensure_future(
            drive(plan(_arm(server.url), load=load), rows(), keys={}, sink=sink)
        )
        await enough.wait()
        driving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driving

    with FakeServer() as server:
        run_loop(main())
    assert len({record.index for record in records}) == len(records) >= 10


def test_what_the_sink_raises_ends_the_run() -> None:
    def full(_: Record) -> None:
        raise OSError("no space left on device")

    with FakeServer() as server, pytest.raises(OSError, match="no space left"):
        driven(plan(_arm(server.url)), sink=full)


def test_a_plan_that_cannot_be_is_refused_before_anything_is_sent() -> None:
    with FakeServer() as server:
        arm = Arm(name="a", url=server.url, model="m", api="predict", stream=True)
        with pytest.raises(PlanError, match="can stream"):
            driven(plan(arm))
        assert server.requests == ()


def test_pulses_tell_how_the_client_was() -> None:
    told: list[Pulse] = []
    with FakeServer(Behaviour(latency_s=0.05)) as server:
        result, records = driven(plan(_arm(server.url)), pulse=told.append)
    assert result.health == told
    assert sum(pulse.sent for pulse in told) == len(records) == 6
    assert all(0 < pulse.cpu_ns <= pulse.wall_ns * 1.1 for pulse in told)
    assert sum(pulse.loop_lag.total for pulse in told) > 0
    assert told[-1].in_flight == 0


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_closed_loop_by_duration_asks_both_arms_of_its_last_pair(concurrency: int) -> None:
    """The time is over before the first answer, whose counterpart is asked all the same."""
    with FakeServer(Behaviour(latency_s=0.05)) as server:
        arms = (_arm(server.url, "a"), _arm(server.url, "b"))
        load = Load(arrivals=Closed(concurrency=concurrency), duration_s=0.04)
        result, records = driven(plan(*arms, load=load))
    assert [record.index for record in records] == list(range(result.planned))
    assert Counter(record.arm for record in records) == dict.fromkeys("ab", result.planned / 2)


def test_todo_may_go_on_for_ever_where_the_duration_ends_it() -> None:
    with FakeServer(Behaviour(latency_s=0.002)) as server:
        load = Load(arrivals=Closed(concurrency=2), duration_s=0.1)
        result, records = driven(plan(_arm(server.url), load=load), todo=count(7))
    indices = [record.index for record in records]
    assert indices == list(islice(count(7), len(indices)))
    assert result.planned == indices[-1] + 1
