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
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from chalicelib.connections import Connections
from chalicelib.deadline import Deadline
from chalicelib.errors import UpstreamFailure

logger = logging.getLogger(__name__)

BUDGET_S: Final = 0.05
PAUSE_S: Final = 10.0
_QUEUE: Final = 2048
_BATCH: Final = 512


class OtlpSink:
    """Sends ended spans to `<endpoint>/v1/traces`."""

    def __init__(
        self,
        endpoint: str,
        connections: Connections,
        *,
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._connections = connections
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._clock = clock
        self._waiting: deque[ReadableSpan] = deque(maxlen=_QUEUE)
        self._not_before = 0.0

    def take(self, span: ReadableSpan) -> None:
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
                body=json.dumps(to_otlp(batch), separators=(",", ":")).encode(),
                deadline=deadline,
            )
            accepted = reply.status < 300  # noqa: PLR2004
        except UpstreamFailure:
            accepted = False
        if not accepted:
            self._not_before = self._clock() + PAUSE_S
            self._waiting.extendleft(reversed(batch))
            logger.warning("the trace collector does not take spans; next try in %g s", PAUSE_S)


class NullSink:
    """Spans go nowhere."""

    def take(self, span: ReadableSpan) -> None:
        """Forget it."""

    def flush(self) -> None:
        """There is nothing to send."""


def _drain(waiting: deque[ReadableSpan]) -> list[ReadableSpan]:
    batch: list[ReadableSpan] = []
    while waiting and len(batch) < _BATCH:
        batch.append(waiting.popleft())
    return batch


def to_otlp(spans: Iterable[ReadableSpan]) -> dict[str, Any]:
    """The spans of one process as an OTLP `ExportTraceServiceRequest` in JSON; ids are in hex."""
    spans = list(spans)
    resource = spans[0].resource.attributes if spans else {}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [{"scope": {"name": "gateway"}, "spans": [_span(s) for s in spans]}],
            }
        ]
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    if context is None:
        raise ValueError("a span without a context")
    failed = span.status.status_code is StatusCode.ERROR
    return {
        "traceId": format(context.trace_id, "032x"),
        "spanId": format(context.span_id, "016x"),
        **({"parentSpanId": format(span.parent.span_id, "016x")} if span.parent else {}),
        "name": span.name,
        "kind": span.kind.value + 1,  # OTLP counts from "unspecified"
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": 2} if failed else {},
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
