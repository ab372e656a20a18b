"""Spans to a collector as OTLP/JSON over HTTP, within a budget a caller won't notice.

A Lambda is frozen when it has answered, so spans leave before the response does. The whole export,
connection and all, may take 50 ms; a collector that is slower or away costs that once, and then
nothing until it is asked again. What could not be sent waits, in a bounded queue.
"""

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure
from chalicelib.telemetry.spans import RecordedSpan

logger = logging.getLogger(__name__)

BUDGET_S: Final = 0.05
PAUSE_S: Final = 10.0
_QUEUE: Final = 2048
_BATCH: Final = 512


class SpanSink(Protocol):
    """Where ended spans go."""

    def take(self, span: RecordedSpan) -> None: ...
    def flush(self) -> None: ...


class OtlpSink:
    """Sends ended spans to `<endpoint>/v1/traces`."""

    def __init__(
        self,
        endpoint: str,
        connections: Connections,
        *,
        resource: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._connections = connections
        self._resource = resource
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._clock = clock
        self._waiting: deque[RecordedSpan] = deque(maxlen=_QUEUE)
        self._not_before = 0.0

    def take(self, span: RecordedSpan) -> None:
        self._waiting.append(span)

    def flush(self) -> None:
        """Send what waits; never raises, never takes longer than the budget."""
        if self._clock() < self._not_before:
            return
        deadline = Deadline.after(BUDGET_S)
        batch = _drain(self._waiting)
        if not batch:
            return
        try:
            reply = self._connections.request(
                "POST",
                self._url,
                headers=self._headers,
                body=json.dumps(to_otlp(batch, self._resource), separators=(",", ":")).encode(),
                deadline=deadline,
            )
            accepted = reply.status < 300  # noqa: PLR2004
            worth_repeating = reply.status == 429 or reply.status >= 500  # noqa: PLR2004
        except UpstreamFailure:
            accepted, worth_repeating = False, True
        if not accepted:
            self._not_before = self._clock() + PAUSE_S
            if worth_repeating:  # else it would be refused for ever, and hold up all others
                self._waiting.extendleft(reversed(batch))
            logger.warning("the trace collector does not take spans; next try in %g s", PAUSE_S)


class NullSink:
    """Spans go nowhere."""

    def take(self, span: RecordedSpan) -> None:
        """Forget it."""

    def flush(self) -> None:
        """There is nothing to send."""


def _drain(waiting: deque[RecordedSpan]) -> list[RecordedSpan]:
    batch: list[RecordedSpan] = []
    while waiting and len(batch) < _BATCH:
        batch.append(waiting.popleft())
    return batch


def to_otlp(spans: Iterable[RecordedSpan], resource: Mapping[str, Any]) -> dict[str, Any]:
    """Ended spans of one process as an OTLP `ExportTraceServiceRequest` in JSON; ids are in hex."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [{"scope": {"name": "gateway"}, "spans": [_span(s) for s in spans]}],
            }
        ]
    }


def _span(span: RecordedSpan) -> dict[str, Any]:
    return {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        **({"parentSpanId": f"{span.parent_id:016x}"} if span.parent_id else {}),
        "name": span.name,
        "kind": span.kind.value + 1,  # OTLP counts from "unspecified"
        "startTimeUnixNano": str(span.started_ns),
        "endTimeUnixNano": str(span.ended_ns),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2} if span.failed else {},
    }


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:  # noqa: ANN401
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"arrayValue": {"values": [_value(member) for member in value]}}
