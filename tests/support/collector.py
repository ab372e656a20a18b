"""An OTLP/HTTP trace collector that keeps what it gets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.http_server import Answered, Asked, serving


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedSpan:
    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    kind: int
    failed: bool
    attributes: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Collector:
    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answered:
        self.paths.append(asked.path)
        if self.status == 200:
            self.bodies.append(asked.body)
        return Answered(status=self.status, body=b"{}")

    def spans(self) -> list[CollectedSpan]:
        return [
            _span(span)
            for body in self.bodies
            for resource in json.loads(body)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def trace(self, trace_id: str) -> list[CollectedSpan]:
        return [span for span in self.spans() if span.trace_id == trace_id]


def _span(span: dict[str, Any]) -> CollectedSpan:
    return CollectedSpan(
        name=span["name"],
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId"),
        kind=span["kind"],
        failed=span["status"].get("code") == 2,
        attributes={entry["key"]: _value(entry["value"]) for entry in span["attributes"]},
    )


def _value(value: dict[str, Any]) -> Any:  # noqa: ANN401  (any JSON value)
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return [_value(member) for member in content["values"]]
    return int(content) if kind == "intValue" else content


@contextmanager
def running() -> Iterator[Collector]:
    collector = Collector()
    with serving(collector.answer) as url:
        collector.url = url
        yield collector
