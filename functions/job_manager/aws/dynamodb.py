"""The table of runs on DynamoDB: an item per run, trial and missing notification, and four for the manager itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from ..domain.errors import Conflict, NotFound
from ..domain.listing import Listing
from ..domain.results.trial import Trial
from ..domain.run import Run, RunState, is_run_id
from ..domain.run_request import RunRequest
from ..domain.settling import CLOCKS_DIFFER, PendingChange
from .items import (
    CHAMPION,
    LISTING,
    MANAGER,
    OPEN,
    PENDING,
    UNNOTIFIED,
    Item,
    pending_change,
    request_value,
    run_item,
    stamp,
    trial_item,
    unnotified_key,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REQUEST = {"#request": "request"}


class DynamoDBRuns:
    """Implements `ports.Runs`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def note_change(self, at: datetime) -> PendingChange:
        first = "if_not_exists(first_at, :at)"
        known = self._note(at, first, "attribute_not_exists(last_at) OR last_at < :at")
        if known.is_ahead_of(at + CLOCKS_DIFFER):
            return self._note(at, ":at", "attribute_not_exists(last_at) OR last_at = :seen", seen=known)
        return known

    def _note(self, at: datetime, first: str, condition: str, seen: PendingChange | None = None) -> PendingChange:
        """The pending change with this one in it, or as it was if the condition fails."""
        update: Item = {
            "TableName": self._table,
            "Key": PENDING,
            "UpdateExpression": f"SET first_at = {first}, last_at = :at",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":at": {"S": stamp(at)},
                **({":seen": {"S": stamp(seen.last_at)}} if seen else {}),
            },
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            return pending_change(self._client.update_item(**update)["Attributes"])
        except self._client.exceptions.ConditionalCheckFailedException as error:
            later: Item = dict(error.response)
            return pending_change(later["Item"])

    def pending(self) -> PendingChange | None:
        item = self._get(PENDING)
        return pending_change(item) if item else None

    def request(self, request: RunRequest) -> PendingChange:
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=PENDING,
                UpdateExpression="SET first_at = if_not_exists(first_at, :at), last_at = :at, #request = :request",
                ConditionExpression="attribute_not_exists(#request)",
                ExpressionAttributeNames=REQUEST,
                ExpressionAttributeValues={":at": {"S": stamp(request.asked_at)}, ":request": request_value(request)},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise Conflict("Another run has been asked for already. Wait until it has started.") from None
        return pending_change(answer["Attributes"])

    def clear_pending(self, seen: PendingChange) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=PENDING,
                ConditionExpression="last_at = :seen",
                ExpressionAttributeValues={":seen": {"S": stamp(seen.last_at)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            if seen.request:
                self._clear_request(seen.request)

    def _clear_request(self, seen: RunRequest) -> None:
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=PENDING,
                UpdateExpression="REMOVE #request",
                ConditionExpression="#request = :seen",
                ExpressionAttributeNames=REQUEST,
                ExpressionAttributeValues={":seen": request_value(seen)},
            )

    def listing(self) -> Listing | None:
        item = self._get(LISTING)
        return msgspec.json.decode(item["body"]["S"], type=Listing) if item else None

    def save_listing(self, listing: Listing) -> None:
        body = {"S": msgspec.json.encode(listing).decode()}
        self._client.put_item(TableName=self._table, Item={**LISTING, "body": body})

    def create(self, run: Run) -> None:
        absent = "attribute_not_exists(pk)"
        writes: list[Item] = [{"Put": {"TableName": self._table, "Item": run_item(run), "ConditionExpression": absent}}]
        if run.state.ended:
            writes.append(self._put_unnotified(run))
        else:
            slot = {**OPEN, "run_id": {"S": run.run_id}}
            writes.append({"Put": {"TableName": self._table, "Item": slot, "ConditionExpression": absent}})
        if run.won:
            writes.append(self._set_champion(run))
        with self._conflict(f"Run {run.run_id} already exists, or another run is open."):
            self._client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]

    def move(self, run: Run, came_from: RunState) -> None:
        writes: list[Item] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": run_item(run),
                    "ConditionExpression": "#state = :from",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": {":from": {"S": came_from}},
                }
            }
        ]
        if run.state.ended:
            writes += [{"Delete": self._key_of(OPEN, run.run_id)}, self._put_unnotified(run)]
        if run.won:
            writes.append(self._set_champion(run))
        with self._conflict(f"Run {run.run_id} was moved by another function."):
            self._client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]

    def get(self, run_id: str) -> Run:
        item = self._get({"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RUN"}}) if is_run_id(run_id) else None
        if item is None:
            raise NotFound(f"There is no run {run_id}. List those that there are: seedbed runs")
        return msgspec.json.decode(item["body"]["S"], type=Run)

    def open_run(self) -> Run | None:
        return self._pointed_at(OPEN)

    def champion(self) -> Run | None:
        return self._pointed_at(CHAMPION)

    def champion_id(self) -> str | None:
        """The name of the best model's run; None while there is none."""
        item = self._get(CHAMPION)
        return item["run_id"]["S"] if item else None

    def recent(self, limit: int, before: Run | None = None) -> Sequence[Run]:
        query: Item = {
            "TableName": self._table,
            "IndexName": "by_time",
            "KeyConditionExpression": "kind = :run",
            "ExpressionAttributeValues": {":run": {"S": "run"}},
            "ScanIndexForward": False,
            "PaginationConfig": {"MaxItems": limit},
        }
        if before:
            query["ExclusiveStartKey"] = {name: run_item(before)[name] for name in ("pk", "sk", "kind", "created_at")}
        pages = self._client.get_paginator("query").paginate(**query)
        return [msgspec.json.decode(item["body"]["S"], type=Run) for page in pages for item in page["Items"]]

    def since(self, at: datetime) -> Iterator[Run]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_time",
            KeyConditionExpression="kind = :run AND created_at >= :at",
            ExpressionAttributeValues={":run": {"S": "run"}, ":at": {"S": stamp(at)}},
        )
        return (msgspec.json.decode(item["body"]["S"], type=Run) for page in pages for item in page["Items"])

    def save_trial(self, run_id: str, trial: Trial) -> None:
        if trial.ended:
            self._client.put_item(TableName=self._table, Item={**trial_item(run_id, trial), "ended": {"BOOL": True}})
            return
        try:
            self._client.put_item(
                TableName=self._table, Item=trial_item(run_id, trial), ConditionExpression="attribute_not_exists(ended)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def trials(self, run_id: str) -> Sequence[Trial]:
        items = self._below(f"RUN#{run_id}", "TRIAL#")
        return [msgspec.json.decode(item["body"]["S"], type=Trial) for item in items]

    def unnotified(self) -> Sequence[str]:
        return [item["run_id"]["S"] for item in self._below(MANAGER, UNNOTIFIED)]

    def announced(self, run: Run) -> None:
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=run_item(run),
                ConditionExpression="#state = :state",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":state": {"S": run.state}},
            )

    def notified(self, run_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=unnotified_key(run_id))

    def remind(self, run_id: str, at: datetime) -> None:
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RUN"}},
            UpdateExpression="SET reminded_at = :at",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":at": {"S": stamp(at)}},
        )

    def _below(self, pk: str, sk: str) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":sk": {"S": sk}},
        )
        return (dict(item) for page in pages for item in page["Items"])

    def _get(self, key: Item) -> Item | None:
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _pointed_at(self, key: Item) -> Run | None:
        item = self._get(key)
        return self.get(item["run_id"]["S"]) if item else None

    def _key_of(self, key: Item, run_id: str) -> Item:
        return {
            "TableName": self._table,
            "Key": key,
            "ConditionExpression": "run_id = :run",
            "ExpressionAttributeValues": {":run": {"S": run_id}},
        }

    def _put_unnotified(self, run: Run) -> Item:
        return {"Put": {"TableName": self._table, "Item": {**unnotified_key(run.run_id), "run_id": {"S": run.run_id}}}}

    def _set_champion(self, run: Run) -> Item:
        return {"Put": {**self._champion_met(run), "Item": {**CHAMPION, "run_id": {"S": run.run_id}}}}

    def _champion_met(self, run: Run) -> Item:
        if run.champion_before is None:
            return {"TableName": self._table, "ConditionExpression": "attribute_not_exists(pk)"}
        condition = self._key_of(CHAMPION, run.champion_before)
        del condition["Key"]
        return condition

    @contextmanager
    def _conflict(self, sentence: str) -> Iterator[None]:
        try:
            yield
        except self._client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise Conflict(sentence) from None
            raise
