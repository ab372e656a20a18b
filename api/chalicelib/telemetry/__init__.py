"""Logs, metrics and traces of a request, each made once and lazily.

Powertools does all three; its Tracer writes OpenTelemetry spans through Powertools' own `provider=`
seam, so one annotation makes one span and never two systems.

Prompts and outputs never get here: lengths and hashes only. Ids never become metric dimensions.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from opentelemetry.trace import Span, SpanKind

from chalicelib.telemetry.tracing import OpenTelemetryProvider, SpanSink

SERVICE: Final = "gateway"
NAMESPACE: Final = "LlmOptimizationPlatform"


class Telemetry:
    """What a request leaves behind."""

    def __init__(self, sink: SpanSink, *, level: str | None = None) -> None:
        self._sink = sink
        self.logger = Logger(service=SERVICE, level=level or os.environ.get("LOG_LEVEL", "INFO"))
        self.provider = OpenTelemetryProvider(SERVICE, sink)
        # Stated, because a Tracer left to itself is off outside Lambda.
        self.tracer = Tracer(
            service=SERVICE, provider=self.provider, auto_patch=False, disabled=False
        )

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str], correlation_id: str) -> Iterator[Span]:
        """The span of a whole request, a child of the caller's; its ids are on every log line."""
        with self.provider.span(name, kind=SpanKind.SERVER, parent=headers) as span:
            self.logger.thread_safe_append_keys(
                correlation_id=correlation_id,
                trace_id=format(span.get_span_context().trace_id, "032x"),
            )
            try:
                yield span
            finally:
                self.logger.thread_safe_clear_keys()

    @contextmanager
    def model_call(self, operation: str, model: str) -> Iterator[Span]:
        """The span of one call of one target, named as the GenAI conventions say."""
        with self.provider.span(f"{operation} {model}", kind=SpanKind.CLIENT) as span:
            span.set_attribute("gen_ai.operation.name", operation)
            span.set_attribute("gen_ai.request.model", model)
            yield span

    def measure(self, dimensions: Mapping[str, str], counts: Mapping[str, float]) -> None:
        """One EMF line: CloudWatch makes metrics of it without a call."""
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
        for name, value in dimensions.items():
            metrics.add_dimension(name, value)
        for name, count in counts.items():
            metrics.add_metric(name, _UNITS[name], count)
        metrics.flush_metrics()

    def flush(self) -> None:
        """Hand the ended spans on; bounded in time, and never an error."""
        self._sink.flush()

    def trace_headers(self) -> dict[str, str]:
        """W3C trace context of the current span, for the engine."""
        return self.provider.trace_headers()

    def log(self, message: str, **fields: Any) -> None:  # noqa: ANN401
        self.logger.info(message, extra=fields)


_UNITS: Final[Mapping[str, MetricUnit]] = {
    "Requests": MetricUnit.Count,
    "Errors": MetricUnit.Count,
    "Fallbacks": MetricUnit.Count,
    "Latency": MetricUnit.Milliseconds,
    "PromptTokens": MetricUnit.Count,
    "CompletionTokens": MetricUnit.Count,
}
