"""Secrets are kept for a while, and longer where they can't be read again."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from chalicelib.aws import Aws
from chalicelib.connections import Connections
from chalicelib.errors import StoreUnavailable
from chalicelib.secret_store import SecretStore
from tests.support.clocks import Clock
from tests.support.http_server import Answered, Asked, serving

ENV: Final = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}


class Shelf:
    """Secrets Manager with one secret, which can rotate or be away."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.text = "first"
        self.found: dict[str, str] = {}
        self.away = False
        self.asked = 0
        self.clock = Clock()

    def answer(self, asked: Asked) -> Answered:
        self.asked += 1
        if self.away:
            return Answered(status=400, body=b'{"__type": "ResourceNotFoundException"}')
        assert json.loads(asked.body) == {"SecretId": "name"}
        return Answered(body=json.dumps(self.found or {"SecretString": self.text}).encode())


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    with serving(shelf.answer) as shelf.url:
        yield shelf


@pytest.fixture
def store(shelf: Shelf) -> Iterator[SecretStore]:
    with closing(Connections()) as connections:
        aws = Aws({**ENV, "AWS_ENDPOINT_URL": shelf.url}, connections)
        yield SecretStore(aws, keep_s=300, clock=shelf.clock)


def test_a_secret_is_read_once_and_kept(store: SecretStore, shelf: Shelf) -> None:
    assert [store.get("name") for _ in range(3)] == ["first"] * 3
    shelf.clock.advance(299)
    assert store.get("name") == "first"
    assert shelf.asked == 1


def test_a_rotation_is_noticed_after_a_while(store: SecretStore, shelf: Shelf) -> None:
    store.get("name")
    shelf.text = "second"
    shelf.clock.advance(300)
    assert store.get("name") == "second"


def test_what_was_read_stays_in_use_while_the_store_is_away(
    store: SecretStore, shelf: Shelf
) -> None:
    store.get("name")
    shelf.away = True
    shelf.clock.advance(300)
    asked = shelf.asked
    assert [store.get("name") for _ in range(5)] == ["first"] * 5
    assert shelf.asked == asked + 1  # and isn't asked for at every request
    shelf.away, shelf.text = False, "second"
    shelf.clock.advance(300)
    assert store.get("name") == "second"


def test_what_was_never_read_is_unavailable(store: SecretStore, shelf: Shelf) -> None:
    shelf.away = True
    with pytest.raises(StoreUnavailable, match="secret name: ResourceNotFoundException"):
        store.get("name")
    shelf.away = False
    assert store.get("name") == "first"


def test_a_secret_that_is_no_text_is_unavailable(store: SecretStore, shelf: Shelf) -> None:
    shelf.found = {"SecretBinary": "AAAA"}
    with pytest.raises(StoreUnavailable, match="secret name"):
        store.get("name")
