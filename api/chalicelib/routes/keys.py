"""`/ops/keys`: made, listed, disabled, rotated, by those who may."""

import datetime as dt
import re
from typing import Any, Final

from chalice.app import Blueprint, ChaliceAuthorizer

from chalicelib.auth import EVERY_TEAM, SCOPES, Key
from chalicelib.errors import GatewayError
from chalicelib.exchange import Exchange
from chalicelib.gateway import Gateway
from chalicelib.keys import Author, StoredKey
from chalicelib.routes.edge import view
from chalicelib.validation import (
    boolean,
    check,
    invalid,
    list_of,
    one_of,
    parse_object,
    required,
    text,
    whole,
)

PAGE: Final = 50
PAGE_MAX: Final = 200
GRACE_MAX_S: Final = 7 * 24 * 3600
_KEY_ID: Final = re.compile(r"[a-z0-9]{12}")
_LIMIT: Final = re.compile(r"[0-9]{1,3}")
_CREATE: Final = {
    "name": text(1, 100),
    "teams": list_of(text(1, 63), least=1, most=20),
    "scopes": list_of(one_of(*SCOPES), least=1, most=len(SCOPES)),
    "expires_at": text(1, 40),
}


def routes(gateway: Gateway, authorizer: ChaliceAuthorizer) -> Blueprint:
    blueprint = Blueprint(__name__)

    @blueprint.route("/ops/keys", methods=["POST"], authorizer=authorizer)
    @view("admin")
    def create(exchange: Exchange) -> tuple[dict[str, Any], int]:
        return _create(gateway, exchange), 201

    @blueprint.route("/ops/keys", methods=["GET"], authorizer=authorizer)
    @view("admin")
    def list_keys(exchange: Exchange) -> dict[str, Any]:
        return _page(gateway, exchange)

    @blueprint.route("/ops/keys/{key_id}", methods=["PATCH"], authorizer=authorizer)
    @view("admin")
    def change(exchange: Exchange, key_id: str) -> dict[str, Any]:
        stored = _reachable(gateway, exchange, key_id)
        document = parse_object(exchange.body, max_bytes=gateway.settings.max_body_bytes)
        check(document, {"disabled": boolean}, refused={})
        disabled = required(document, "disabled")
        by = _author(exchange)
        return _described(gateway.keys.set_disabled(stored, disabled=disabled, by=by))

    @blueprint.route("/ops/keys/{key_id}/rotate", methods=["POST"], authorizer=authorizer)
    @view("admin")
    def rotate(exchange: Exchange, key_id: str) -> dict[str, Any]:
        stored = _reachable(gateway, exchange, key_id)
        document = parse_object(exchange.body or b"{}", max_bytes=gateway.settings.max_body_bytes)
        check(document, {"grace_s": whole(0, GRACE_MAX_S)}, refused={})
        grace_s = document.get("grace_s") or 0
        return _with_secret(*gateway.keys.rotate(stored, grace_s=grace_s, by=_author(exchange)))

    return blueprint


def _create(gateway: Gateway, exchange: Exchange) -> dict[str, Any]:
    principal = exchange.principal()
    document = parse_object(exchange.body, max_bytes=gateway.settings.max_body_bytes)
    check(document, _CREATE, refused={})
    teams = _known_teams(required(document, "teams"), set(gateway.config.teams))
    scopes = required(document, "scopes")
    principal.require_grant(teams, scopes)
    stored, key = gateway.keys.create(
        name=required(document, "name"),
        teams=teams,
        scopes=scopes,
        expires_at=_expiry(document.get("expires_at"), gateway.keys.clock()),
        by=_author(exchange),
    )
    return _with_secret(stored, key)


def _page(gateway: Gateway, exchange: Exchange) -> dict[str, Any]:
    limit = exchange.query.get("limit", str(PAGE))
    if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= PAGE_MAX:
        raise invalid("limit", f"must be from 1 to {PAGE_MAX}")
    after = exchange.query.get("after")
    if after is not None and not _KEY_ID.fullmatch(after):
        raise invalid("after", "must be the 'next' of an earlier page")
    page, rest = gateway.keys.page(limit=int(limit), after=after)
    principal = exchange.principal()
    shown = [stored for stored in page if principal.may_grant(stored.teams, stored.scopes)]
    return {"keys": [_described(stored) for stored in shown], "next": rest}


def _author(exchange: Exchange) -> Author:
    return Author(key_id=exchange.principal().key_id, correlation_id=exchange.correlation_id)


def _reachable(gateway: Gateway, exchange: Exchange, key_id: str) -> StoredKey:
    """The key, if this admin could have made it."""
    principal = exchange.principal()
    if not _KEY_ID.fullmatch(key_id):
        raise GatewayError("not_found", "There is no key with this id.", param="key_id")
    stored = gateway.keys.get(key_id)
    principal.require_grant(stored.teams, stored.scopes)
    return stored


def _known_teams(teams: list[str], known: set[str]) -> list[str]:
    for team in teams:
        if team not in known and team != EVERY_TEAM:
            raise invalid("teams", f"must name known teams ({', '.join(sorted(known))}) or '*'")
    return teams


def _expiry(stated: str | None, now: float) -> float | None:
    if stated is None:
        return None
    try:
        at = dt.datetime.fromisoformat(stated)
        expiry = at.astimezone(dt.UTC).timestamp()  # a year 10000 in UTC could not be shown again
    except (ValueError, OverflowError):
        raise invalid("expires_at", "must be a date and time like 2027-01-31T00:00:00Z") from None
    if at.tzinfo is None:
        raise invalid("expires_at", "must name its time zone, like 2027-01-31T00:00:00Z")
    if expiry <= now:
        raise invalid("expires_at", "must be in the future")
    return expiry


def _described(stored: StoredKey) -> dict[str, Any]:
    """A key as the API shows it: times as people read them."""
    times = {
        name: dt.datetime.fromtimestamp(value, dt.UTC).isoformat() if value else None
        for name, value in stored.public().items()
        if name in ("created_at", "expires_at", "previous_until")
    }
    return {**stored.public(), **times}


def _with_secret(stored: StoredKey, key: Key) -> dict[str, Any]:
    return {**_described(stored), "key": str(key)}
