"""Powertools' Tracer on OpenTelemetry spans."""

import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Protocol

from aws_lambda_powertools.tracing.base import BaseProvider, BaseSegment
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

_METADATA_MAX: Final = 1024
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class SpanSink(Protocol):
    """Where ended spans go."""

    def take(self, span: ReadableSpan) -> None: ...
    def flush(self) -> None: ...


class _ToSink(SpanProcessor):
    def __init__(self, sink: SpanSink) -> None:
        self._sink = sink

    def on_end(self, span: ReadableSpan) -> None:
        self._sink.take(span)


class _SystemRandomIds(IdGenerator):
    """The operating system's randomness: a snapshot restored twice must not repeat its ids."""

    def generate_span_id(self) -> int:
        return int.from_bytes(os.urandom(8), "big") or 1

    def generate_trace_id(self) -> int:
        return int.from_bytes(os.urandom(16), "big") or 1


class Segment(BaseSegment):
    """A span under the name Powertools has for it."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def close(self, end_time: int | None = None) -> None:
        self.span.end(end_time * 1_000_000_000 if end_time else None)

    def add_subsegment(self, subsegment: Any) -> None:  # noqa: ANN401
        """OpenTelemetry knows a span's parent from the context."""

    def remove_subsegment(self, subsegment: Any) -> None:  # noqa: ANN401
        """See `add_subsegment`."""

    def put_annotation(self, key: str, value: Any) -> None:  # noqa: ANN401
        self.span.set_attribute(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:  # noqa: ANN401
        text = json.dumps(value, default=str)[:_METADATA_MAX]
        self.span.set_attribute(f"{namespace}.{key}", text)

    def add_exception(
        self,
        exception: BaseException,
        stack: Sequence[Any] = (),
        remote: bool = False,  # noqa: FBT001, FBT002  (Powertools' signature)
    ) -> None:
        """The kind of error only: its message may hold what must not be on a span."""
        del stack, remote
        failed(self.span, type(exception).__name__)


class OpenSpan:
    """A span that is current within a `with` block; an exception marks it with its kind.

    What OpenTelemetry's own context manager does, in a third of its time: it is entered twice for
    every request.
    """

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        self._token = attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(self, kind: type[BaseException] | None, error: object, _: object) -> None:
        if kind is not None:
            failed(self._span, getattr(error, "code", None) or kind.__name__)
        detach(self._token)
        self._span.end()


class OpenTelemetryProvider(BaseProvider):
    """Powertools' `provider=` seam over an OpenTelemetry tracer."""

    def __init__(self, service: str, sink: SpanSink) -> None:
        provider = TracerProvider(
            resource=Resource({"service.name": os.environ.get("OTEL_SERVICE_NAME", service)}),
            id_generator=_SystemRandomIds(),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(_ToSink(sink))
        self._tracer = provider.get_tracer(service)

    def open(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        parent: Mapping[str, str] | None = None,
        attributes: Attributes = None,
    ) -> OpenSpan:
        """A span around a block, a child of the W3C context in `parent` or of the current span."""
        context = _PROPAGATOR.extract(parent) if parent and "traceparent" in parent else None
        return OpenSpan(self._tracer.start_span(name, context, kind, attributes))

    @contextmanager
    def in_subsegment(self, name: str = "subsegment", **_: Any) -> Iterator[Segment]:  # noqa: ANN401
        with self.open(name) as span:
            yield Segment(span)

    @asynccontextmanager
    async def in_subsegment_async(
        self,
        name: str = "subsegment",
        **_: Any,  # noqa: ANN401
    ) -> AsyncIterator[Segment]:
        with self.open(name) as span:
            yield Segment(span)

    def put_annotation(self, key: str, value: Any) -> None:  # noqa: ANN401
        Segment(trace.get_current_span()).put_annotation(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:  # noqa: ANN401
        Segment(trace.get_current_span()).put_metadata(key, value, namespace)

    def patch(self, modules: Sequence[str]) -> None:
        """Nothing is patched: each call that matters opens its span where it is made."""

    def patch_all(self) -> None:
        """See `patch`."""

    @staticmethod
    def trace_headers() -> dict[str, str]:
        headers: dict[str, str] = {}
        _PROPAGATOR.inject(headers)
        return headers


def failed(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
