"""Secrets, fetched when first needed and kept for a while, so that a rotation is noticed."""

import time
from collections.abc import Callable

from chalicelib.aws import CALL_S, Aws, AwsError
from chalicelib.errors import StoreUnavailable


class SecretStore:
    def __init__(
        self, aws: Aws, *, keep_s: float = 300, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._aws = aws
        self._keep_s = keep_s
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    def get(self, name: str, *, seconds: float = CALL_S) -> str:
        """The secret's text, waited for that long; one that can't be refreshed stays in use.

        Raises:
            StoreUnavailable: it was never read and can't be now.
        """
        kept = self._kept.get(name)
        now = self._clock()
        if kept and now - kept[0] < self._keep_s:
            return kept[1]
        try:
            found = self._aws.call(
                "secretsmanager", "GetSecretValue", {"SecretId": name}, seconds=seconds
            )
            text = str(found["SecretString"])
        except (AwsError, StoreUnavailable, KeyError) as error:  # a binary secret has no text
            if kept:
                self._kept[name] = (now, kept[1])
                return kept[1]
            raise StoreUnavailable(f"secret {name}: {error}") from None
        self._kept[name] = (now, text)
        return text
