"""DynamoDB as plain dictionaries: the operations the gateway uses, and no more."""

import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from chalicelib.aws import CALL_S, Aws, AwsError
from chalicelib.errors import StoreUnavailable

Item = dict[str, Any]


class ConditionFailed(Exception):  # noqa: N818
    """Somebody else was there first: the item is not as the writer believed."""


class Put(NamedTuple):
    """One write; `condition` must hold of the item as it stands."""

    table: str
    item: Item
    condition: str = ""
    values: Mapping[str, Any] = MappingProxyType({})


class DynamoDb:
    def __init__(self, aws: Aws, *, seconds: float = CALL_S) -> None:
        self._aws = aws
        self._seconds = seconds

    def within(self, seconds: float) -> "DynamoDb":
        """The same, for those who can't wait longer."""
        return DynamoDb(self._aws, seconds=seconds)

    def get(self, table: str, key: Item) -> Item | None:
        found = self._call(
            "GetItem", {"TableName": table, "Key": encode(key), "ConsistentRead": True}
        )
        return decode(found["Item"]) if "Item" in found else None

    def query(
        self, table: str, key: str, value: str, *, limit: int = 1000, after: Item | None = None
    ) -> tuple[list[Item], Item | None]:
        """Items whose partition is `value`, and where to go on if there are more."""
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "#k = :v",
            "ExpressionAttributeNames": {"#k": key},
            "ExpressionAttributeValues": encode({":v": value}),
            "ConsistentRead": True,  # whoever reads after a write must not meet what was before
            "Limit": limit,
        }
        return self._page("Query", request, after)

    def scan(
        self, table: str, *, limit: int, after: Item | None = None
    ) -> tuple[list[Item], Item | None]:
        return self._page("Scan", {"TableName": table, "Limit": limit}, after)

    def put(self, put: Put) -> None:
        """Write one item.

        Raises:
            ConditionFailed: its condition did not hold.
        """
        self._call("PutItem", _put(put))

    def put_all(self, puts: Sequence[Put]) -> None:
        """Write all of them or none.

        Raises:
            ConditionFailed: a condition did not hold.
        """
        request = {
            "TransactItems": [{"Put": _put(put)} for put in puts],
            # A call whose reply was lost is repeated: it must not fail on what it wrote itself.
            "ClientRequestToken": secrets.token_hex(16),
        }
        self._call("TransactWriteItems", request)

    def _page(
        self, operation: str, request: dict[str, Any], after: Item | None
    ) -> tuple[list[Item], Item | None]:
        if after:
            request["ExclusiveStartKey"] = encode(after)
        page = self._call(operation, request)
        rest = page.get("LastEvaluatedKey")
        return [decode(item) for item in page["Items"]], decode(rest) if rest else None

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._aws.call("dynamodb", operation, request, seconds=self._seconds)
        except AwsError as error:
            if error.name in {"ConditionalCheckFailedException", "TransactionCanceledException"}:
                raise ConditionFailed from None
            raise StoreUnavailable(f"dynamodb {operation}: {error.name}") from None


def _put(put: Put) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": put.table, "Item": encode(put.item)}
    if put.condition:
        request["ConditionExpression"] = put.condition
    if put.values:
        request["ExpressionAttributeValues"] = encode(put.values)
    return request


def encode(item: Mapping[str, Any]) -> dict[str, Any]:
    """Python values as DynamoDB writes them, `{"S": "text"}`."""
    return {name: _encode(value) for name, value in item.items()}


def decode(item: Mapping[str, Any]) -> Item:
    return {name: _decode(value) for name, value in item.items()}


def _encode(value: Any) -> dict[str, Any]:  # noqa: ANN401
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str():
            return {"S": value}
        case Mapping():
            return {"M": encode(value)}
        case list() | tuple():
            return {"L": [_encode(member) for member in value]}
    raise TypeError(f"DynamoDB cannot hold a {type(value).__name__}")


def _decode(value: Mapping[str, Any]) -> Any:  # noqa: ANN401
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content) if content.lstrip("-").isdigit() else float(content)
        case "M":
            return decode(content)
        case "L":
            return [_decode(member) for member in content]
        case "NULL":
            return None
    return content
