"""OpenTelemetry spans, recorded by as little as will do.

The SDK's two spans cost a request 60 µs more than these, and a cold start 35 ms more (ADR 2), for
samplers, limits and processors that a gateway of two spans a request has no use for. This is the
API's own seam: code that annotates the current span by `opentelemetry.trace` meets one of these and
needs not know.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_NO_CONTEXT: Final = Context()

Attributes = dict[str, Any]


class RecordedSpan(Span):
    """A span that goes to `take` when it ends.

    As a context manager it is the current span within its block; an exception marks it with its
    kind, never with its message, which may hold what must not be on a span.
    """

    __slots__ = (
        "_take",
        "_token",
        "attributes",
        "context",
        "ended_ns",
        "failed",
        "kind",
        "name",
        "parent_id",
        "started_ns",
    )

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent_id: int | None,
        attributes: Attributes,
        take: Callable[["RecordedSpan"], None],
    ) -> None:
        self.name = name
        self.kind = kind
        self.context = context
        self.parent_id = parent_id
        self.attributes = attributes
        self.failed = False
        self.started_ns = time.time_ns()
        self.ended_ns: int | None = None
        self._take = take

    def __enter__(self) -> Self:
        self._token = attach(set_span_in_context(self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None:
            self.fail(getattr(error, "code", None) or kind.__name__)
        detach(self._token)
        self.end()

    def fail(self, kind: str) -> None:
        """Mark it as failed, with what kind of error."""
        self.failed = True
        self.attributes["error.type"] = kind

    def end(self, end_time: int | None = None) -> None:
        if self.ended_ns is None:
            self.ended_ns = end_time or time.time_ns()
            self._take(self)

    def get_span_context(self) -> SpanContext:
        return self.context

    def is_recording(self) -> bool:
        return self.ended_ns is None

    def set_attribute(self, key: str, value: Any) -> None:  # noqa: ANN401
        self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.attributes.update(attributes)

    def update_name(self, name: str) -> None:
        self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        del description  # as free a text as an exception's message
        code = status.status_code if isinstance(status, Status) else status
        self.failed = code is StatusCode.ERROR

    def add_event(
        self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None
    ) -> None:
        """Events are log lines here: they carry the span's trace id."""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,  # noqa: ARG002
        timestamp: int | None = None,  # noqa: ARG002
        escaped: bool = False,  # noqa: ARG002, FBT001, FBT002  (the API's signature)
    ) -> None:
        self.fail(type(exception).__name__)


class Tracer:
    """Opens spans under the caller's, as W3C trace context names it, or under the current one."""

    def __init__(self, take: Callable[[RecordedSpan], None]) -> None:
        self._take = take

    def open(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        caller: Mapping[str, str] | None = None,
        attributes: Attributes | None = None,
    ) -> RecordedSpan:
        """A span to enter; one whose caller isn't sampled is dropped when it ends."""
        parent = _caller(caller) if caller is not None else get_current_span().get_span_context()
        known = parent.is_valid
        context = SpanContext(
            # The operating system's randomness: a snapshot restored twice must not repeat its ids.
            parent.trace_id if known else int.from_bytes(os.urandom(16), "big") or 1,
            int.from_bytes(os.urandom(8), "big") or 1,
            is_remote=False,
            trace_flags=parent.trace_flags if known else _SAMPLED,
            trace_state=parent.trace_state if known else None,
        )
        take = self._take if context.trace_flags.sampled else _forget
        parent_id = parent.span_id if known else None
        return RecordedSpan(name, kind, context, parent_id, attributes or {}, take)


def trace_headers() -> dict[str, str]:
    """W3C trace context of the current span, for who is called next."""
    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    flags = int(context.trace_flags)
    headers = {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"}
    if context.trace_state:
        headers["tracestate"] = context.trace_state.to_header()
    return headers


def _caller(headers: Mapping[str, str]) -> SpanContext:
    if "traceparent" not in headers:
        return _NOBODY
    return get_current_span(_PROPAGATOR.extract(headers, _NO_CONTEXT)).get_span_context()


def _forget(span: RecordedSpan) -> None:
    del span


_NOBODY: Final = NonRecordingSpan(SpanContext(0, 0, is_remote=False)).get_span_context()
