"""Powertools' Tracer on OpenTelemetry spans."""

import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Protocol

from aws_lambda_powertools.tracing.base import BaseProvider, BaseSegment
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

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

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        """A span around a block; an exception marks it with its type and goes on."""
        context = _PROPAGATOR.extract(parent) if parent else None
        with self._tracer.start_as_current_span(
            name, context=context, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                failed(span, getattr(error, "code", None) or type(error).__name__)
                raise

    @contextmanager
    def in_subsegment(self, name: str = "subsegment", **_: Any) -> Iterator[Segment]:  # noqa: ANN401
        with self.span(name) as span:
            yield Segment(span)

    @asynccontextmanager
    async def in_subsegment_async(
        self,
        name: str = "subsegment",
        **_: Any,  # noqa: ANN401
    ) -> AsyncIterator[Segment]:
        with self.span(name) as span:
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
