"""Plain dictionaries there and back, and conditions that hold or fail."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from typing import Any, Final

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import Aws
from chalicelib.connections import Connections
from chalicelib.dynamodb import ConditionFailed, DynamoDb, Put, decode, encode
from chalicelib.errors import StoreUnavailable
from tests.support.http_server import Answered, Asked, serving
from tests.support.local_aws import LocalAws
from tests.support.sockets import listening, receive_request

TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(-1e100, 1e100, allow_subnormal=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_encoded_decodes_to_the_same(item: dict[str, Any]) -> None:
    assert decode(encode(item)) == item


@given(st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT))
def test_what_is_encoded_is_what_boto_reads(item: dict[str, Any]) -> None:
    read = {name: TypeDeserializer().deserialize(value) for name, value in encode(item).items()}
    assert read == {
        name: Decimal(value) if type(value) is int else value for name, value in item.items()
    }


def test_a_tuple_is_kept_as_a_list() -> None:
    assert decode(encode({"a": (1, "b")})) == {"a": [1, "b"]}


@pytest.mark.parametrize("value", [b"bytes", {1}, object()])
def test_what_a_table_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        encode({"a": value})


@pytest.fixture(scope="module")
def tables(aws: LocalAws) -> dict[str, str]:
    return aws.tables()


@pytest.fixture(scope="module")
def dynamodb(aws: LocalAws) -> Iterator[DynamoDb]:
    with closing(Connections()) as connections:
        yield DynamoDb(Aws(aws.env(), connections))


def test_an_item_written_is_read_and_one_that_is_not_there_is_none(
    dynamodb: DynamoDb, tables: dict[str, str]
) -> None:
    item = {"id": "one", "n": 1, "f": 0.5, "l": ["a", None], "m": {"x": True}, "e": ""}
    dynamodb.put(Put(table=tables["KEYS_TABLE"], item=item))
    assert dynamodb.get(tables["KEYS_TABLE"], {"id": "one"}) == item
    assert dynamodb.get(tables["KEYS_TABLE"], {"id": "nobody"}) is None


def test_a_write_whose_condition_fails_changes_nothing(
    dynamodb: DynamoDb, tables: dict[str, str]
) -> None:
    table, key = tables["KEYS_TABLE"], {"id": "conditional"}
    dynamodb.put(Put(table=table, item={**key, "version": 1}))
    for condition, values in (
        ("attribute_not_exists(id)", {}),
        ("version = :version", {":version": 7}),
    ):
        with pytest.raises(ConditionFailed):
            dynamodb.put(
                Put(table=table, item={**key, "version": 2}, condition=condition, values=values)
            )
    assert dynamodb.get(table, key) == {**key, "version": 1}


def test_several_writes_happen_all_or_none(dynamodb: DynamoDb, tables: dict[str, str]) -> None:
    table = tables["KEYS_TABLE"]
    free = Put(table=table, item={"id": "free"})
    taken = Put(table=table, item={"id": "taken"}, condition="attribute_exists(id)")
    with pytest.raises(ConditionFailed):
        dynamodb.put_all([free, taken])
    assert dynamodb.get(table, {"id": "free"}) is None
    dynamodb.put_all([free, Put(table=table, item={"id": "also"})])
    assert dynamodb.get(table, {"id": "free"}) == {"id": "free"}


def test_of_many_conditional_writers_one_wins(dynamodb: DynamoDb, tables: dict[str, str]) -> None:
    def claim(number: int) -> bool:
        item = {"id": "contended", "by": number}
        try:
            dynamodb.put(
                Put(table=tables["KEYS_TABLE"], item=item, condition="attribute_not_exists(id)")
            )
        except ConditionFailed:
            return False
        return True

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert sum(pool.map(claim, range(16))) == 1


def test_a_query_pages_through_one_partition(dynamodb: DynamoDb, tables: dict[str, str]) -> None:
    table = tables["ROUTING_TABLE"]
    for name in ("c", "a", "b"):
        dynamodb.put(Put(table=table, item={"kind": "paged", "name": name}))
    dynamodb.put(Put(table=table, item={"kind": "other", "name": "a"}))
    first, rest = dynamodb.query(table, "kind", "paged", limit=2)
    last, end = dynamodb.query(table, "kind", "paged", limit=2, after=rest)
    assert [item["name"] for item in first + last] == ["a", "b", "c"]
    assert end is None


def test_a_table_that_is_not_there_is_an_unavailable_store(dynamodb: DynamoDb) -> None:
    with pytest.raises(StoreUnavailable, match="ResourceNotFoundException"):
        dynamodb.get("no-such-table", {"id": "a"})


def test_a_write_whose_reply_was_lost_is_repeated_as_the_same_write() -> None:
    """Else its condition would fail on what it wrote itself."""
    tokens: list[str] = []

    def script(connection: socket.socket, number: int) -> None:
        tokens.append(json.loads(body_of(receive_request(connection)))["ClientRequestToken"])
        if number:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with listening(script) as url, closing(Connections()) as connections:
        env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": url}
        dynamodb = DynamoDb(Aws(env, connections))
        for _ in range(2):
            dynamodb.put_all([Put(table="t", item={"id": "a"})])
    lost, repeated, another = tokens
    assert lost == repeated != another


def body_of(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


def test_what_was_just_written_is_read() -> None:
    """DynamoDB's queries are eventually consistent unless they say otherwise."""
    asked: list[dict[str, Any]] = []

    def answer(request: Asked) -> Answered:
        asked.append(json.loads(request.body))
        return Answered(body=b'{"Items": []}')

    with serving(answer) as url, closing(Connections()) as connections:
        env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": url}
        DynamoDb(Aws(env, connections)).query("t", "kind", "state")
    assert asked[0]["ConsistentRead"] is True
