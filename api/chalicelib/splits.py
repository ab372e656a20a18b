"""Live routing state: weights and target states, read at most every few seconds.

One query brings everything that operators and other Lambdas have decided. When the store is away,
what was read last stays in force, and a process that never read anything uses the declared weights:
an operator who took a bad variant out of service must not have it back because a table is down.
"""

import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from chalicelib import audit, routing
from chalicelib.config import Team
from chalicelib.dynamodb import ConditionFailed, DynamoDb, Item, Put
from chalicelib.errors import GatewayError, StoreUnavailable

REFRESH_S: Final = 5.0
"""Half of the ten seconds within which every Lambda must follow a change."""

READ_S: Final = 0.4
"""A request waits no longer for weights that have a fallback."""
TELL_S: Final = 0.15
"""Nor for others to be told of a sick target: that may come after its deadline."""

_STATE: Final = "state"
Source = Literal["stored", "declared", "stale"]


class Split(NamedTuple):
    """A team's weights in force."""

    weights: Mapping[str, int]
    version: int
    """Counts the changes; 0 while the declared weights hold."""


class RoutingState(NamedTuple):
    """One reading of the store."""

    splits: Mapping[str, Split] = MappingProxyType({})
    open_until: Mapping[str, float] = MappingProxyType({})
    """Targets whose breaker is open, and until when (epoch seconds)."""
    read_at: float = 0
    """When the store was last read (epoch seconds)."""
    source: Source = "declared"

    def split(self, team: Team) -> Split:
        """The team's weights; variants that the stored ones don't know have weight 0."""
        stored = self.splits.get(team.name)
        if stored and any(stored.weights.get(name, 0) for name in team.variants):
            return stored
        return Split(weights=team.declared_weights, version=stored.version if stored else 0)


class RoutingStore:
    def __init__(
        self,
        dynamodb: DynamoDb,
        *,
        routing_table: str,
        audit_table: str,
        refresh_s: float = REFRESH_S,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dynamodb = dynamodb
        self._reading_db = dynamodb.within(READ_S)
        self._telling_db = dynamodb.within(TELL_S)
        self._table = routing_table
        self._audit_table = audit_table
        self._refresh_s = refresh_s
        self._monotonic = monotonic
        self._clock = clock
        self._state = RoutingState()
        self._read_at: float | None = None
        self._reading = threading.Lock()

    def current(self) -> RoutingState:
        """The state in force; never raises, and is fresh while the store answers."""
        now = self._monotonic()
        if self._read_at is not None and now - self._read_at < self._refresh_s:
            return self._state
        first = self._read_at is None
        if self._reading.acquire(blocking=first):
            try:
                if self._read_at is None or now - self._read_at >= self._refresh_s:
                    self._state = self._read()
                    self._read_at = self._monotonic()
            finally:
                self._reading.release()
        return self._state

    def refresh(self) -> RoutingState:
        """Read now, whatever the age.

        Raises:
            StoreUnavailable: the store can't be asked.
        """
        items, _ = self._dynamodb.query(self._table, "kind", _STATE)
        self._state = _state(items, self._clock())
        self._read_at = self._monotonic()
        return self._state

    def put_split(
        self,
        team: Team,
        weights: Mapping[str, int],
        *,
        expected_version: int,
        actor: str,
        correlation_id: str,
    ) -> Split:
        """Change a team's weights, if they are still at `expected_version`.

        Raises:
            GatewayError: `conflict`.
            StoreUnavailable: nothing was changed.
        """
        before = self.refresh().split(team)
        after = Split(weights=dict(weights), version=expected_version + 1)
        name = f"split#{team.name}"
        change = Put(
            table=self._table,
            item={"kind": _STATE, "name": name, "weights": after.weights, "version": after.version},
            condition="version = :expected"
            if expected_version
            else "attribute_not_exists(version)",
            values={":expected": expected_version} if expected_version else {},
        )
        trail = audit.record(
            self._audit_table,
            actor=actor,
            action="split.put",
            subject=f"team:{team.name}",
            before=_described(team, before),
            after=_described(team, after),
            correlation_id=correlation_id,
            at=self._clock(),
        )
        try:
            history = [_history(self._table, team, split) for split in (before, after)]
            # A transaction may not write one item twice, as it would where nothing changes.
            distinct = {put.item["name"]: put for put in history}
            self._dynamodb.put_all([*distinct.values(), change, trail])
        except ConditionFailed:
            raise GatewayError(
                "conflict",
                f"The split is no longer at version {expected_version}: read it again, then retry.",
                param="version",
            ) from None
        # Without asking the store, which may be away by now: the change is made.
        self._state = self._state._replace(splits={**self._state.splits, team.name: after})
        return after

    def past_weights(self, team: Team, version: str) -> Mapping[str, int] | None:
        """The weights that a response's `X-Route-Version` stood for."""
        if version == routing.version(team, team.declared_weights):
            return team.declared_weights
        item = self._dynamodb.get(self._table, {"kind": f"history#{team.name}", "name": version})
        return item["weights"] if item else None

    def put_open_until(self, target: str, until: float) -> None:
        """Tell every other process that a target is left alone, or that it is well (0).

        Raises:
            StoreUnavailable: nobody was told.
        """
        self._telling_db.put(
            Put(
                table=self._table,
                item={"kind": _STATE, "name": f"target#{target}", "open_until": until},
            )
        )

    def claim_probe(self, target: str, until: float) -> bool:
        """Whether this process may be the one that tries a target again, until `until`.

        Raises:
            StoreUnavailable: it can't be told.
        """
        try:
            self._telling_db.put(
                Put(
                    table=self._table,
                    item={"kind": _STATE, "name": f"target#{target}", "open_until": until},
                    condition="attribute_not_exists(open_until) OR open_until <= :now",
                    values={":now": self._clock()},
                )
            )
        except ConditionFailed:
            return False
        return True

    def _read(self) -> RoutingState:
        try:
            items, _ = self._reading_db.query(self._table, "kind", _STATE)
        except StoreUnavailable:
            if self._state.source == "declared":
                return self._state
            return self._state._replace(source="stale")
        return _state(items, self._clock())


def _state(items: list[Item], read_at: float) -> RoutingState:
    splits: dict[str, Split] = {}
    open_until: dict[str, float] = {}
    for item in items:
        kind, _, name = item["name"].partition("#")
        if kind == "split":
            splits[name] = Split(weights=item["weights"], version=item["version"])
        elif kind == "target":
            open_until[name] = item["open_until"]
    return RoutingState(splits=splits, open_until=open_until, read_at=read_at, source="stored")


def _history(table: str, team: Team, split: Split) -> Put:
    return Put(
        table=table,
        item={
            "kind": f"history#{team.name}",
            "name": routing.version(team, split.weights),
            "weights": dict(split.weights),
        },
    )


def _described(team: Team, split: Split) -> dict[str, Any]:
    return {
        "weights": dict(split.weights),
        "version": split.version,
        "route_version": routing.version(team, split.weights),
    }


def check_weights(team: Team, weights: object) -> dict[str, int]:
    """`weights` if they are a split of `team`.

    Raises:
        GatewayError: `invalid_request` or `unknown_variant`.
    """
    if not isinstance(weights, dict):
        raise GatewayError(
            "invalid_request", "'split' must be an object of variant: weight.", param="split"
        )
    for name, weight in weights.items():
        if name not in team.variants:
            raise routing.unknown_variant(team.name, team.variants)
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= 100:  # noqa: PLR2004
            raise GatewayError(
                "invalid_request",
                f"'split.{name}' must be a whole number from 0 to 100.",
                param=f"split.{name}",
            )
    if sum(weights.values()) != 100:  # noqa: PLR2004
        raise GatewayError(
            "invalid_request",
            f"'split' must sum to 100, sums to {sum(weights.values())}.",
            param="split",
        )
    return weights
