"""Logs, metrics and traces of a request, each made once and lazily.

Powertools does all three; its Tracer writes OpenTelemetry spans through Powertools' own `provider=`
seam, so one annotation makes one span and never two systems. A request leaves one line: its log
record is its metrics in EMF too, so CloudWatch is paid for once.

Prompts and outputs never get here: lengths and hashes only. Ids never become metric dimensions.
"""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)
from opentelemetry.trace import SpanKind

from chalicelib.telemetry.lines import LineFormatter
from chalicelib.telemetry.otlp import SpanSink
from chalicelib.telemetry.spans import RecordedSpan
from chalicelib.telemetry.spans import Tracer as SpanTracer
from chalicelib.telemetry.tracing import OpenTelemetryProvider

SERVICE: Final = "gateway"
NAMESPACE: Final = "LlmOptimizationPlatform"

_UNITS: Final[Mapping[str, str]] = {
    "Errors": "Count",
    "Fallbacks": "Count",
    "Latency": "Milliseconds",
    "PromptTokens": "Count",
    "CompletionTokens": "Count",
    "KeysExpiring": "Count",
}


class Telemetry:
    """What a request leaves behind."""

    def __init__(self, sink: SpanSink, *, level: str = "INFO") -> None:
        self._sink = sink
        self._lines = LineFormatter(SERVICE)
        self.logger = Logger(service=SERVICE, level=level, logger_formatter=self._lines)
        _adopt_module_loggers(self.logger)
        # Its serialiser only: what it would collect between requests is another request's.
        self._metrics = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service=SERVICE)
        self.spans = SpanTracer(sink.take)
        # Stated, because a Tracer left to itself is off outside Lambda.
        self.tracer = Tracer(
            service=SERVICE,
            provider=OpenTelemetryProvider(self.spans),
            auto_patch=False,
            disabled=False,
        )

    def request(self, name: str, headers: Mapping[str, str]) -> RecordedSpan:
        """The span of a whole request, a child of the caller's."""
        return self.spans.open(name, SpanKind.SERVER, caller=headers)

    def model_call(self, operation: str, model: str, attributes: Mapping[str, str]) -> RecordedSpan:
        """The span of one call of one target, named as the GenAI conventions say."""
        return self.spans.open(
            f"{operation} {model}",
            SpanKind.CLIENT,
            attributes={
                "gen_ai.operation.name": operation,
                "gen_ai.request.model": model,
                **attributes,
            },
        )

    def identify(self, **ids: str) -> None:
        """Put these on every log line of this request; replaces the last request's."""
        self.logger.thread_safe_clear_keys()
        self.logger.thread_safe_append_keys(**ids)

    def record(
        self,
        fields: Mapping[str, Any],
        dimensions: Mapping[str, str],
        counts: Mapping[str, float],
        *,
        message: str = "request",
    ) -> None:
        """The one line of a request, or of what else was done: log record and metrics."""
        emf = self._metrics.serialize_metric_set(
            metrics={
                name: {"Unit": _UNITS[name], "Value": [float(value)]}
                for name, value in counts.items()
            },
            dimensions={**dimensions, "service": SERVICE},
            metadata={},
        )
        # Not by the logger: metrics must not depend on the log level.
        line = self._lines.line("INFO", message, time.time(), {**fields, **emf})
        sys.stdout.write(f"{line}\n")  # at once, or two threads' lines would mix

    def flush(self) -> None:
        """Hand the ended spans on; bounded in time, and never an error."""
        self._sink.flush()


def _adopt_module_loggers(logger: Logger) -> None:
    """What modules log by the standard library goes the same way, in the same form."""
    modules = logging.getLogger("chalicelib")
    modules.handlers = [logger.registered_handler]
    modules.setLevel(logger.log_level)
    modules.propagate = False
