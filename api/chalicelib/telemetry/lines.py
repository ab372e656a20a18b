"""Log lines: one JSON object each, with the ids of the request it belongs to."""

import datetime as dt
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
_encode: Final = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, default=str, check_circular=False
).encode


class LineFormatter(LambdaPowertoolsFormatter):
    """Powertools' formatter without what a gateway's hot path doesn't need of it.

    The same keys in less time, because a message is not tried as JSON, a time is not built
    from a format, and the record is gone through once.
    """

    def __init__(self, service: str) -> None:
        super().__init__(service=service)
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        fields = {n: value for n, value in record.__dict__.items() if n not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            fields["exception_name"] = record.exc_info[0].__name__
            fields["exception"] = self.formatException(record.exc_info)
        return self.line(record.levelname, record.getMessage(), record.created, fields)

    def line(self, level: str, message: str, at: float, fields: Mapping[str, Any]) -> str:
        """One line; `at` is in seconds since the epoch, fields that are None are left out."""
        line = {
            "level": level,
            "message": message,
            "timestamp": dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
            **self.thread_safe_get_current_keys(),
            **fields,
        }
        return _encode({name: value for name, value in line.items() if value is not None})
