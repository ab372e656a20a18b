"""The keys that exist: made, listed, disabled, rotated, recognised."""

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from chalicelib import audit
from chalicelib.auth import Key, Principal
from chalicelib.dynamodb import ConditionFailed, DynamoDb, Item, Put
from chalicelib.errors import GatewayError
from chalicelib.secret_store import SecretStore


class StoredKey(NamedTuple):
    """What is known of a key; its secret is not."""

    id: str
    name: str
    teams: tuple[str, ...]
    scopes: tuple[str, ...]
    created_at: float
    created_by: str
    expires_at: float | None = None
    disabled: bool = False
    digest: str = ""
    previous_digest: str = ""
    previous_until: float = 0
    version: int = 1

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Attributes it doesn't know are passed over: an older Lambda must still know the key."""
        known = {name: item[name] for name in cls._fields if name in item}
        return cls(**{**known, "teams": tuple(item["teams"]), "scopes": tuple(item["scopes"])})

    def to_item(self) -> Item:
        return self._asdict()

    def public(self) -> dict[str, Any]:
        """Everything a caller may see of it."""
        hidden = {"digest", "previous_digest"}
        return {name: value for name, value in self.to_item().items() if name not in hidden}

    def principal(self) -> Principal:
        return Principal(key_id=self.id, teams=frozenset(self.teams), scopes=frozenset(self.scopes))

    def accepts(self, digest: str, now: float) -> bool:
        """Constant-time in the digest; an earlier secret counts during its grace period."""
        current = hmac.compare_digest(digest, self.digest)
        previous = hmac.compare_digest(digest, self.previous_digest) and now < self.previous_until
        expired = self.expires_at is not None and now >= self.expires_at
        return (current or previous) and not self.disabled and not expired


_NOBODY: Final = StoredKey(
    id="", name="", teams=(), scopes=(), created_at=0, created_by="", disabled=True
)


class Author(NamedTuple):
    """Who changes keys, and in which request."""

    key_id: str
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStore:
    dynamodb: DynamoDb
    secrets: SecretStore
    keys_table: str
    audit_table: str
    pepper_secret: str
    clock: Callable[[], float] = time.time

    def authenticate(self, key: Key | None) -> Principal | None:
        """Who holds `key`, or None: unknown, wrong, disabled and expired look the same.

        Raises:
            StoreUnavailable: it can't be told now.
        """
        if key is None:
            return None
        item = self.dynamodb.get(self.keys_table, {"id": key.id})
        stored = StoredKey.from_item(item) if item else _NOBODY
        digest = key.digest(self.secrets.get(self.pepper_secret))
        return stored.principal() if stored.accepts(digest, self.clock()) else None

    def create(
        self,
        *,
        name: str,
        teams: Sequence[str],
        scopes: Sequence[str],
        expires_at: float | None,
        by: Author,
    ) -> tuple[StoredKey, Key]:
        """A new key; its secret is in the answer and nowhere else.

        Raises:
            StoreUnavailable: nothing was made.
        """
        key = Key.new()
        stored = StoredKey(
            id=key.id,
            name=name,
            teams=tuple(sorted(set(teams))),
            scopes=tuple(sorted(set(scopes))),
            created_at=self.clock(),
            created_by=by.key_id,
            expires_at=expires_at,
            digest=key.digest(self.secrets.get(self.pepper_secret)),
        )
        self._write(None, stored, "key.create", by)
        return stored, key

    def page(self, *, limit: int, after: str | None) -> tuple[list[StoredKey], str | None]:
        """Keys in the table's order, and the id to go on after."""
        items, rest = self.dynamodb.scan(
            self.keys_table, limit=limit, after={"id": after} if after else None
        )
        return [StoredKey.from_item(item) for item in items], rest["id"] if rest else None

    def get(self, key_id: str) -> StoredKey:
        """Raises:
        GatewayError: `not_found`.
        """
        item = self.dynamodb.get(self.keys_table, {"id": key_id})
        if item is None:
            raise GatewayError("not_found", "There is no key with this id.", param="key_id")
        return StoredKey.from_item(item)

    def set_disabled(self, stored: StoredKey, *, disabled: bool, by: Author) -> StoredKey:
        changed = stored._replace(disabled=disabled, version=stored.version + 1)
        self._write(stored, changed, "key.disable" if disabled else "key.enable", by)
        return changed

    def rotate(self, stored: StoredKey, *, grace_s: float, by: Author) -> tuple[StoredKey, Key]:
        """A new secret for the same key; the old one works for `grace_s` more seconds."""
        key = Key.new(stored.id)
        changed = stored._replace(
            digest=key.digest(self.secrets.get(self.pepper_secret)),
            previous_digest=stored.digest if grace_s else "",
            previous_until=self.clock() + grace_s if grace_s else 0,
            version=stored.version + 1,
        )
        self._write(stored, changed, "key.rotate", by)
        return changed, key

    def _write(self, before: StoredKey | None, after: StoredKey, action: str, by: Author) -> None:
        condition, values = "attribute_not_exists(id)", {}
        if before:
            condition, values = "version = :version", {":version": before.version}
        change = Put(
            table=self.keys_table, item=after.to_item(), condition=condition, values=values
        )
        trail = audit.record(
            self.audit_table,
            actor=by.key_id,
            action=action,
            subject=f"key:{after.id}",
            before=_plain(before),
            after=_plain(after),
            correlation_id=by.correlation_id,
            at=self.clock(),
        )
        try:
            self.dynamodb.put_all([change, trail])
        except ConditionFailed:
            raise GatewayError(
                "conflict", "Somebody else changed this key just now: read it again, then retry."
            ) from None


def _plain(stored: StoredKey | None) -> Mapping[str, Any] | None:
    return stored.public() if stored else None
