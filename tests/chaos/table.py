"""DynamoDB in memory: conditional writes, transactions, an index that lags, a stream."""

# ruff: noqa: N803 (AWS names its parameters)
import re
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, Any]
PAGE = 4
LONGEST_KEY = 1024


class ConditionalCheckFailedException(ClientError):
    """A condition did not hold."""


class TransactionCanceledException(ClientError):
    """Of a transaction one condition did not hold, or another transaction was at the same item."""


class MemoryTable:
    """A DynamoDB client of one table; `written` is told each item as it was and as it is."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=ConditionalCheckFailedException,
        TransactionCanceledException=TransactionCanceledException,
        ClientError=ClientError,
    )

    def __init__(self, written: Callable[[Item | None, Item], None]) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._written = written
        self._index: list[Item] | None = None

    def lag(self) -> None:
        """Let the index fall behind from now on."""
        self._index = self._indexed()

    def catch_up(self) -> None:
        """Let the index know all."""
        self._index = None

    def get_item(self, Key: Item, **_: Any) -> Item:
        """The item, if there is one."""
        if not all(0 < len(part.encode()) <= LONGEST_KEY for part in key_of(Key)):
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "Too long"}}, "GetItem")
        found = self.items.get(key_of(Key))
        return {"Item": found} if found else {}

    def put_item(self, Item: Item, **request: Any) -> Item:
        """Write an item whole, maybe on a condition."""
        old = self.items.get(key_of(Item))
        names, values = (request.get(f"ExpressionAttribute{kind}", {}) for kind in ("Names", "Values"))
        if "ConditionExpression" in request and not self.holds(request["ConditionExpression"], old, names, values):
            raise failed("PutItem", old)
        self._put(Item)
        return {}

    def update_item(self, Key: Item, ExpressionAttributeValues: Item, **request: Any) -> Item:
        """The one update that is known here: `SET a = if_not_exists(a, :v), b = :v`."""
        old = self.items.get(key_of(Key))
        if not self.holds(request["ConditionExpression"], old, {}, ExpressionAttributeValues):
            raise failed("UpdateItem", old)
        new = {**(old or Key)}
        for name, default, value in re.findall(
            r"(\w+) = (?:if_not_exists\((\w+), )?(:\w+)", request["UpdateExpression"]
        ):
            if not (default and default in new):
                new[name] = ExpressionAttributeValues[value]
        self._put(new)
        return {"Attributes": new}

    def delete_item(self, Key: Item, **request: Any) -> Item:
        """Delete, maybe on a condition."""
        old = self.items.get(key_of(Key))
        condition = request.get("ConditionExpression")
        if condition and not self.holds(condition, old, {}, request["ExpressionAttributeValues"]):
            raise failed("DeleteItem", old)
        self.items.pop(key_of(Key), None)
        return {}

    def transact_write_items(self, TransactItems: list[Item]) -> Item:
        """All writes, or none."""
        writes = [(kind, write) for entry in TransactItems for kind, write in entry.items()]
        codes = ["None" if self._allowed(write) else "ConditionalCheckFailed" for _, write in writes]
        if set(codes) != {"None"}:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": ", ".join(codes)},
                "CancellationReasons": [{"Code": code} for code in codes],
            }
            raise TransactionCanceledException(answer, "TransactWriteItems")
        for kind, write in writes:
            if kind == "Put":
                self._put(write["Item"])
            else:
                self.items.pop(key_of(write["Key"]), None)
        return {}

    def query(self, ExpressionAttributeValues: Item, **request: Any) -> Item:
        """One page of the index, newest first, or of an item collection."""
        if "IndexName" in request:
            found = self._indexed() if self._index is None else self._index
            since = ExpressionAttributeValues.get(":at", {"S": ""})["S"]
            found = [item for item in found if item["created_at"]["S"] >= since]
        else:
            pk, start = ExpressionAttributeValues[":pk"]["S"], ExpressionAttributeValues[":sk"]["S"]
            found = [item for (p, s), item in sorted(self.items.items()) if p == pk and s.startswith(start)]
        first: int = request.get("ExclusiveStartKey", 0)
        page = {"Items": found[first : first + PAGE]}
        return {**page, "LastEvaluatedKey": first + PAGE} if len(found) > first + PAGE else page

    def holds(self, condition: str, item: Item | None, names: Item, values: Item) -> bool:
        """Whether a condition holds of an item."""
        return any(
            all(term_holds(term, item or {}, names, values) for term in terms) for terms in alternatives(condition)
        )

    def _allowed(self, write: Item) -> bool:
        old = self.items.get(key_of(write["Item"] if "Item" in write else write["Key"]))
        names, values = (write.get(f"ExpressionAttribute{kind}", {}) for kind in ("Names", "Values"))
        return "ConditionExpression" not in write or self.holds(write["ConditionExpression"], old, names, values)

    def _put(self, item: Item) -> None:
        key = key_of(item)
        old = self.items.get(key)
        self.items[key] = item
        self._written(old, item)

    def _indexed(self) -> list[Item]:
        runs = (item for item in self.items.values() if item.get("kind") == {"S": "run"})
        return sorted(runs, key=lambda item: str(item["created_at"]["S"]), reverse=True)


def key_of(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def failed(operation: str, old: Item | None) -> ConditionalCheckFailedException:
    answer: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
    if old:
        answer["Item"] = old
    return ConditionalCheckFailedException(answer, operation)


@cache
def alternatives(condition: str) -> list[list[str]]:
    """The terms of `a AND b OR c`."""
    return [alternative.split(" AND ") for alternative in condition.split(" OR ")]


def term_holds(term: str, item: Item, names: Item, values: Item) -> bool:
    if term.startswith("attribute_not_exists("):
        return term[len("attribute_not_exists(") : -1] not in item
    if term.startswith("attribute_exists("):
        return term[len("attribute_exists(") : -1] in item
    name, sign, value = term.split()
    known, wanted = item.get(names.get(name, name)), values[value]
    if known is None:
        return False
    return bool({"=": known["S"] == wanted["S"], "<": known["S"] < wanted["S"]}[sign])
