"""Keys in the store: made, recognised, expired, disabled, rotated."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from chalicelib.auth import Key, Principal
from chalicelib.connections import Connections
from chalicelib.dynamodb import DynamoDb
from chalicelib.errors import GatewayError, StoreUnavailable
from chalicelib.keys import Author, KeyStore, StoredKey
from chalicelib.secret_store import SecretStore
from tests.support.clocks import Clock
from tests.support.dynamodb import Unreliable
from tests.support.local_aws import PEPPER_SECRET, LocalAws

BY: Final = Author(key_id="tester", correlation_id="c-1")


class Keys:
    """A store of keys over real tables, with a clock."""

    def __init__(self, aws: Unreliable, tables: dict[str, str]) -> None:
        self.aws = aws
        self.clock = Clock()
        self.store = KeyStore(
            dynamodb=DynamoDb(aws),
            secrets=SecretStore(aws),
            keys_table=tables["KEYS_TABLE"],
            audit_table=tables["AUDIT_TABLE"],
            pepper_secret=PEPPER_SECRET,
            clock=self.clock,
        )

    def make(self, *, expires_in_s: float | None = None) -> tuple[StoredKey, Key]:
        expires_at = None if expires_in_s is None else self.clock() + expires_in_s
        return self.store.create(
            name="a", teams=["quant", "eval"], scopes=["invoke"], expires_at=expires_at, by=BY
        )

    def works(self, key: Key) -> bool:
        return self.store.authenticate(key) is not None


@pytest.fixture
def tables(aws: LocalAws) -> dict[str, str]:
    return aws.tables()


@pytest.fixture
def keys(aws: LocalAws, tables: dict[str, str]) -> Iterator[Keys]:
    with closing(Connections()) as connections:
        yield Keys(Unreliable(aws.env(), connections), tables)


def test_who_holds_a_key_is_who_it_was_made_for(keys: Keys) -> None:
    stored, key = keys.make()
    assert keys.store.authenticate(key) == Principal(
        key_id=stored.id, teams=frozenset({"quant", "eval"}), scopes=frozenset({"invoke"})
    )


def test_what_is_no_key_is_refused_without_asking_the_store(keys: Keys) -> None:
    keys.aws.away = True
    assert keys.store.authenticate(None) is None
    assert keys.aws.calls == 0


def test_unknown_wrong_disabled_and_expired_look_the_same(keys: Keys) -> None:
    stored, key = keys.make(expires_in_s=60)
    wrong = Key.new(stored.id)
    assert keys.store.authenticate(Key.new()) is None
    assert keys.store.authenticate(wrong) is None
    disabled = keys.store.set_disabled(stored, disabled=True, by=BY)
    assert keys.store.authenticate(key) is None
    keys.store.set_disabled(disabled, disabled=False, by=BY)
    assert keys.works(key)
    keys.clock.advance(60)
    assert keys.store.authenticate(key) is None


def test_a_key_works_to_the_second_it_expires(keys: Keys) -> None:
    _, key = keys.make(expires_in_s=60)
    keys.clock.advance(59.9)
    assert keys.works(key)
    keys.clock.advance(0.1)
    assert not keys.works(key)


def test_rotation_without_grace_ends_the_old_secret(keys: Keys) -> None:
    stored, old = keys.make()
    _, new = keys.store.rotate(stored, grace_s=0, by=BY)
    assert (keys.works(old), keys.works(new)) == (False, True)


def test_within_the_grace_both_secrets_work_and_then_only_the_new(keys: Keys) -> None:
    stored, old = keys.make()
    _, new = keys.store.rotate(stored, grace_s=100, by=BY)
    keys.clock.advance(99)
    assert (keys.works(old), keys.works(new)) == (True, True)
    keys.clock.advance(1)
    assert (keys.works(old), keys.works(new)) == (False, True)


def test_of_two_rotations_only_the_latest_two_secrets_count(keys: Keys) -> None:
    stored, first = keys.make()
    stored, second = keys.store.rotate(stored, grace_s=100, by=BY)
    _, third = keys.store.rotate(stored, grace_s=100, by=BY)
    assert [keys.works(key) for key in (first, second, third)] == [False, True, True]


def test_a_disabled_keys_old_secret_does_not_work_either(keys: Keys) -> None:
    stored, old = keys.make()
    stored, new = keys.store.rotate(stored, grace_s=100, by=BY)
    keys.store.set_disabled(stored, disabled=True, by=BY)
    assert (keys.works(old), keys.works(new)) == (False, False)


def test_of_two_changes_at_once_the_later_is_a_conflict(keys: Keys) -> None:
    stored, _ = keys.make()
    keys.store.set_disabled(stored, disabled=True, by=BY)
    with pytest.raises(GatewayError) as caught:
        keys.store.rotate(stored, grace_s=0, by=BY)
    assert caught.value.code == "conflict"
    assert keys.store.get(stored.id).disabled is True


def test_with_the_store_away_nobody_is_refused_by_mistake(keys: Keys) -> None:
    stored, key = keys.make()
    keys.aws.away = True
    with pytest.raises(StoreUnavailable):
        keys.store.authenticate(key)
    with pytest.raises(StoreUnavailable):
        keys.make()
    keys.aws.away = False
    assert keys.store.get(stored.id).name == "a"


def test_a_key_nobody_made_is_not_found(keys: Keys) -> None:
    with pytest.raises(GatewayError) as caught:
        keys.store.get("aaaaaaaaaaaa")
    assert caught.value.code == "not_found"


def test_keys_page_by_page_are_each_there_once(keys: Keys) -> None:
    made = {keys.make()[0].id for _ in range(5)}
    seen: list[str] = []
    after: str | None = None
    while True:
        page, after = keys.store.page(limit=2, after=after)
        seen += [stored.id for stored in page]
        if after is None:
            break
    assert sorted(seen) == sorted(made)


def test_what_is_public_of_a_key_holds_no_digest(keys: Keys) -> None:
    stored, key = keys.make()
    stored, _ = keys.store.rotate(stored, grace_s=100, by=BY)
    shown = str(stored.public())
    assert stored.digest not in shown
    assert stored.previous_digest not in shown
    assert key.secret not in str(stored)


def test_every_change_leaves_a_record_without_digests(
    keys: Keys, aws: LocalAws, tables: dict[str, str]
) -> None:
    stored, _ = keys.make()
    stored, _ = keys.store.rotate(stored, grace_s=0, by=BY)
    keys.clock.advance(1)
    stored = keys.store.set_disabled(stored, disabled=True, by=BY)
    keys.store.set_disabled(stored, disabled=False, by=BY)
    records = aws.items(tables["AUDIT_TABLE"])
    assert {record["action"]["S"] for record in records} == {
        "key.create",
        "key.rotate",
        "key.disable",
        "key.enable",
    }
    assert all(record["actor"] == {"S": "tester"} for record in records)
    assert "digest" not in str(records)
