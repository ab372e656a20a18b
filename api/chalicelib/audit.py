"""Who changed what, from what, to what: written together with the change, or neither is."""

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from chalicelib.dynamodb import Put


def record(  # noqa: PLR0913
    table: str,
    *,
    actor: str,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    correlation_id: str,
    at: float,
) -> Put:
    """The write that keeps one change; secrets and digests must not be in `before` and `after`."""
    when = dt.datetime.fromtimestamp(at, dt.UTC)
    return Put(
        table=table,
        item={
            "day": when.strftime("%Y-%m-%d"),
            "at": f"{when.isoformat(timespec='milliseconds')}#{secrets.token_hex(4)}",
            "actor": actor,
            "action": action,
            "subject": subject,
            "before": before,
            "after": after,
            "correlation_id": correlation_id,
        },
    )
