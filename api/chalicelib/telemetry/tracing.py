"""Powertools' Tracer on OpenTelemetry spans, through Powertools' own `provider=` seam."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from aws_lambda_powertools.tracing.base import BaseProvider, BaseSegment
from opentelemetry.trace import Span, Status, StatusCode, get_current_span

from chalicelib.telemetry.spans import Tracer

_METADATA_MAX: Final = 1024


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
        self.span.set_attribute("error.type", type(exception).__name__)
        self.span.set_status(Status(StatusCode.ERROR))


class OpenTelemetryProvider(BaseProvider):
    """What Powertools asks of a tracing system, asked of OpenTelemetry."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def in_subsegment(self, name: str = "subsegment", **_: Any) -> Iterator[Segment]:  # noqa: ANN401
        with self._tracer.open(name) as span:
            yield Segment(span)

    @asynccontextmanager
    async def in_subsegment_async(
        self,
        name: str = "subsegment",
        **_: Any,  # noqa: ANN401
    ) -> AsyncIterator[Segment]:
        with self._tracer.open(name) as span:
            yield Segment(span)

    def put_annotation(self, key: str, value: Any) -> None:  # noqa: ANN401
        Segment(get_current_span()).put_annotation(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:  # noqa: ANN401
        Segment(get_current_span()).put_metadata(key, value, namespace)

    def patch(self, modules: Sequence[str]) -> None:
        """Nothing is patched: each call that matters opens its span where it is made."""

    def patch_all(self) -> None:
        """See `patch`."""
