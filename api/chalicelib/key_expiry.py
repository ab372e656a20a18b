"""Keys that end soon: told daily, while there is time to make new ones."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Final

from chalicelib.aws import CALL_S
from chalicelib.keys import KeyStore, StoredKey
from chalicelib.telemetry import Telemetry

SCHEDULE: Final = "cron(0 6 * * ? *)"
"""Daily, in UTC."""
SOON_S: Final = 14 * 24 * 3600
METRIC: Final = "KeysExpiring"
_PAGE: Final = 100
_RESERVE_S: Final = CALL_S + 1

logger = logging.getLogger(__name__)


class OutOfTime(Exception):  # noqa: N818
    """Not all keys could be looked at: how many end soon is not known."""


def look(
    keys: KeyStore, telemetry: Telemetry, *, stage: str, seconds_left: Callable[[], float]
) -> None:
    """A line for each key that ends soon, and their number as a metric, which also may be 0.

    Raises:
        StoreUnavailable: it can't be told now; nothing is counted.
        OutOfTime: likewise.
    """
    now = keys.clock()
    ending = [key for key in _all(keys, seconds_left) if ends_soon(key, now)]
    for key in ending:
        logger.warning("key expires soon", extra=_told(key))
    telemetry.record({}, {"stage": stage}, {METRIC: len(ending)}, message="looked at keys")


def ends_soon(key: StoredKey, now: float) -> bool:
    """A key that has ended or is disabled is missed by nobody."""
    return key.expires_at is not None and not key.disabled and now < key.expires_at <= now + SOON_S


def _all(keys: KeyStore, seconds_left: Callable[[], float]) -> Iterator[StoredKey]:
    after: str | None = None
    while True:
        if seconds_left() < _RESERVE_S:
            raise OutOfTime
        page, after = keys.page(limit=_PAGE, after=after)
        yield from page
        if after is None:
            return


def _told(key: StoredKey) -> dict[str, str]:
    ends = dt.datetime.fromtimestamp(key.expires_at or 0, dt.UTC)
    return {
        "key_id": key.id,
        "key_name": key.name,
        "expires_at": ends.isoformat(timespec="seconds"),
    }
