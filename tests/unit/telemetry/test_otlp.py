"""Spans leave before the response does, or wait; a collector can do a request no harm."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest
from opentelemetry.trace import SpanKind

from chalicelib.connections import Connections
from chalicelib.telemetry.otlp import BUDGET_S, PAUSE_S, NullSink, OtlpSink
from chalicelib.telemetry.spans import Tracer, trace_headers
from tests.support import collector
from tests.support.clocks import Clock
from tests.support.collector import Collector
from tests.support.sockets import refusing, silent

RESOURCE: Final = {"service.name": "gateway"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connections() -> Iterator[Connections]:
    with closing(Connections()) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Collector]:
    with collector.running() as running:
        yield running


def sink_to(url: str, connections: Connections, clock: Clock) -> OtlpSink:
    return OtlpSink(url, connections, resource=RESOURCE, clock=clock)


def leave_spans(sink: OtlpSink, count: int = 1) -> None:
    for number in range(count):
        with Tracer(sink.take).open(f"span {number}"):
            pass


def test_parent_and_child_arrive_with_hex_ids(
    receiver: Collector, connections: Connections, clock: Clock
) -> None:
    sink = sink_to(receiver.url, connections, clock)
    tracer = Tracer(sink.take)
    with (
        tracer.open("parent", SpanKind.SERVER) as parent,
        tracer.open("child", SpanKind.CLIENT, attributes={"a": "text"}) as child,
    ):
        carried = trace_headers()["traceparent"]
        child.set_attributes({"i": 3, "f": 0.5, "b": True, "l": ("x", "y")})
        child.fail("timeout")
    sink.flush()
    got_child, got_parent = receiver.spans()
    assert (got_parent.name, got_parent.parent_id, got_parent.kind) == ("parent", None, 2)
    assert (got_child.name, got_child.kind) == ("child", 3)
    assert got_child.parent_id == got_parent.span_id
    assert got_child.trace_id == got_parent.trace_id == f"{parent.context.trace_id:032x}"
    assert carried == f"00-{got_child.trace_id}-{got_child.span_id}-01"
    assert (got_child.failed, got_parent.failed) == (True, False)
    assert got_child.attributes == {
        "a": "text",
        "i": 3,
        "f": 0.5,
        "b": True,
        "l": ["x", "y"],
        "error.type": "timeout",
    }
    assert receiver.paths == ["/v1/traces"]


def test_a_span_whose_caller_is_not_sampled_is_dropped_and_says_so_onwards(
    receiver: Collector, connections: Connections, clock: Clock
) -> None:
    sink = sink_to(receiver.url, connections, clock)
    caller = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-00"}
    with Tracer(sink.take).open("request", caller=caller):
        assert trace_headers()["traceparent"].endswith("-00")
    sink.flush()
    assert receiver.spans() == []


def test_an_error_marks_its_span_by_kind_without_its_message(
    receiver: Collector, connections: Connections, clock: Clock
) -> None:
    sink = sink_to(receiver.url, connections, clock)
    with pytest.raises(ValueError, match="a secret"), Tracer(sink.take).open("request"):
        raise ValueError("a secret")
    sink.flush()
    (span,) = receiver.spans()
    assert span.failed
    assert span.attributes == {"error.type": "ValueError"}
    assert b"a secret" not in b"".join(receiver.bodies)


def test_with_nothing_to_send_the_collector_is_not_asked(
    receiver: Collector, connections: Connections, clock: Clock
) -> None:
    sink_to(receiver.url, connections, clock).flush()
    assert receiver.paths == []


@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_spans_a_collector_will_never_take_do_not_hold_up_the_others(
    receiver: Collector, connections: Connections, clock: Clock, status: int
) -> None:
    sink = sink_to(receiver.url, connections, clock)
    receiver.status = status
    leave_spans(sink, 2)
    sink.flush()
    receiver.status = 200
    leave_spans(sink)
    clock.advance(PAUSE_S)
    sink.flush()
    assert [span.name for span in receiver.spans()] == ["span 0"]
    assert not sink._waiting


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_collector_that_refuses_is_left_alone_for_a_while_and_nothing_is_lost(
    receiver: Collector, connections: Connections, clock: Clock, status: int
) -> None:
    sink = sink_to(receiver.url, connections, clock)
    receiver.status = status
    leave_spans(sink, 3)
    for _ in range(5):
        sink.flush()
    assert len(receiver.paths) == 1
    receiver.status = 200
    leave_spans(sink)
    clock.advance(PAUSE_S)
    sink.flush()
    assert [span.name for span in receiver.spans()] == ["span 0", "span 1", "span 2", "span 0"]


@pytest.mark.parametrize("away", ["refusing", "silent"])
def test_a_collector_that_is_away_costs_its_budget_once_and_never_an_error(
    connections: Connections, clock: Clock, away: str
) -> None:
    with (refusing if away == "refusing" else silent)() as url:
        sink = sink_to(url, connections, clock)
        for _ in range(5):
            leave_spans(sink)
            sink.flush()
        assert clock() < sink._not_before  # one attempt, then none until the pause is over
        assert len(sink._waiting) == 5
    assert BUDGET_S <= 0.05


def test_spans_that_nobody_takes_do_not_fill_the_memory(
    connections: Connections, clock: Clock
) -> None:
    with refusing() as url:
        sink = sink_to(url, connections, clock)
        leave_spans(sink, 5_000)
        sink.flush()
        assert len(sink._waiting) <= 2_048


def test_without_a_collector_spans_go_nowhere() -> None:
    sink = NullSink()
    with Tracer(sink.take).open("request"):
        pass
    sink.flush()
