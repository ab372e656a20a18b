"""Keys and what they allow: pure functions, no store.

A key is `llmo_<id>_<secret><check>`. The check digits let garbage be refused without a look-up and
let secret scanners know a leaked key when they see one. Only an HMAC of the secret is ever stored.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Self

from chalicelib.errors import GatewayError

SCOPES: Final = ("invoke", "pin", "score", "harness", "ops:read", "ops:write", "admin")
EVERY_TEAM: Final = "*"

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS: Final = 43  # 62^43 > 2^256
_CHECK_DIGITS: Final = 6  # 62^6 > 2^32
_KEY: Final = re.compile(
    rf"llmo_([a-z0-9]{{12}})_([0-9A-Za-z]{{{_SECRET_DIGITS}}})([0-9A-Za-z]{{6}})"
)


class Key(NamedTuple):
    """A credential as its holder has it."""

    id: str
    secret: str

    @classmethod
    def new(cls, key_id: str | None = None) -> Self:
        """A fresh secret of 256 random bits, for a new id or for one that rotates."""
        return cls(
            id=key_id or secrets.token_hex(6),
            secret=_base62(secrets.randbits(256), _SECRET_DIGITS),
        )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The key that `text` spells, or None if it can't be one."""
        match = _KEY.fullmatch(text)
        if not match:
            return None
        key = cls(id=match[1], secret=match[2])
        return key if hmac.compare_digest(_check(key), match[3]) else None

    def digest(self, pepper: str) -> str:
        """What is stored of it."""
        return hmac.new(
            pepper.encode(), f"{self.id}.{self.secret}".encode(), hashlib.sha256
        ).hexdigest()

    def __str__(self) -> str:
        return f"llmo_{self.id}_{self.secret}{_check(self)}"

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"


def _check(key: Key) -> str:
    return _base62(zlib.crc32(f"{key.id}_{key.secret}".encode()), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text


def bearer(authorization: str) -> Key | None:
    """The key in an `Authorization` header."""
    scheme, _, credentials = authorization.strip().partition(" ")
    return Key.parse(credentials.strip()) if scheme.lower() == "bearer" else None


class Principal(NamedTuple):
    """Who calls: a key's id, its teams and scopes."""

    key_id: str
    teams: frozenset[str]
    scopes: frozenset[str]

    @classmethod
    def from_context(cls, context: Mapping[str, str]) -> Self:
        """As the authorizer wrote it; API Gateway carries strings only."""
        return cls(
            key_id=context["key_id"],
            teams=frozenset(context["teams"].split()),
            scopes=frozenset(context["scopes"].split()),
        )

    def to_context(self) -> dict[str, str]:
        return {
            "key_id": self.key_id,
            "teams": " ".join(sorted(self.teams)),
            "scopes": " ".join(sorted(self.scopes)),
        }

    def has(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def may_use(self, team: str) -> bool:
        return team in self.teams or EVERY_TEAM in self.teams

    def require(self, scope: str) -> None:
        """Raises:
        GatewayError: `forbidden`.
        """
        if not self.has(scope):
            raise GatewayError("forbidden", f"This key lacks the scope {scope!r}.")

    def require_team(self, team: str, *, shared: bool = False) -> None:
        """Raises:
        GatewayError: `forbidden`.
        """
        if not (shared or self.may_use(team)):
            raise GatewayError("forbidden", f"This key may not use the team {team!r}.")

    def require_grant(self, teams: Iterable[str], scopes: Iterable[str]) -> None:
        """A key hands out no more than it has itself.

        Raises:
            GatewayError: `forbidden`.
        """
        for team in teams:
            self.require_team(team)
        for scope in scopes:
            self.require(scope)

    def may_grant(self, teams: Iterable[str], scopes: Iterable[str]) -> bool:
        """Whether `require_grant` holds: keys of other teams are not even shown."""
        return all(map(self.may_use, teams)) and all(map(self.has, scopes))
