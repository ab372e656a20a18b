"""A DynamoDB client whose tables can be away."""

import sys
from collections.abc import Mapping
from typing import Any

from chalicelib.aws import CALL_S, Aws
from chalicelib.connections import Connections
from chalicelib.errors import StoreUnavailable


class Unreliable(Aws):
    """AWS as it is, counted, and away while `away` is set or after so many calls."""

    def __init__(self, env: Mapping[str, str], connections: Connections) -> None:
        super().__init__(env, connections)
        self.away = False
        self.away_after = sys.maxsize
        self.calls = 0

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        seconds: float = CALL_S,
    ) -> dict[str, Any]:
        self.calls += 1
        if self.away or self.calls > self.away_after:
            raise StoreUnavailable(f"{service} {operation}: connect")
        return super().call(service, operation, parameters, seconds=seconds)
