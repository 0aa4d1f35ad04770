"""The table of runs on DynamoDB: one item a run, a trial and a run to tell of, and three for the manager itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from ..domain.errors import Conflict, NotFound
from ..domain.result import Trial
from ..domain.run import Run, RunState, is_run_id
from ..domain.settling import CLOCKS_DIFFER, PendingChange
from .items import (
    CHAMPION,
    MANAGER,
    OPEN,
    PENDING,
    UNTOLD,
    Item,
    pending_change,
    run_item,
    stamp,
    trial_item,
    untold_key,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDBRuns:
    """Implements `ports.Runs`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def note_change(self, at: datetime) -> PendingChange:
        """Remember that the bucket changed; return the whole pending change, which may know of later ones."""
        first = "if_not_exists(first_at, :at)"
        known = self._note(at, first, "attribute_not_exists(last_at) OR last_at < :at")
        if known.is_ahead_of(at + CLOCKS_DIFFER):
            return self._note(at, ":at", "attribute_not_exists(last_at) OR last_at = :seen", seen=known)
        return known

    def _note(self, at: datetime, first: str, condition: str, seen: PendingChange | None = None) -> PendingChange:
        """The pending change with this one in it, or as it is where the condition does not hold."""
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
        """The change that waits for a run."""
        item = self._get(PENDING)
        return pending_change(item) if item else None

    def clear_pending(self, seen: PendingChange) -> None:
        """Forget the pending change, unless it has grown since it was seen."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=PENDING,
                ConditionExpression="last_at = :seen",
                ExpressionAttributeValues={":seen": {"S": stamp(seen.last_at)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def create(self, run: Run) -> None:
        """Add a run; Conflict if it exists, if it goes on while another is open, or if it won as `move` has it."""
        absent = "attribute_not_exists(pk)"
        writes: list[Item] = [{"Put": {"TableName": self._table, "Item": run_item(run), "ConditionExpression": absent}}]
        if run.state.ended:
            writes.append(self._to_tell(run))
        else:
            slot = {**OPEN, "run_id": {"S": run.run_id}}
            writes.append({"Put": {"TableName": self._table, "Item": slot, "ConditionExpression": absent}})
        if run.won:
            writes.append(self._crowned(run))
        with self._conflict(f"Run {run.run_id} exists, or another run is open."):
            self._client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]

    def move(self, run: Run, came_from: RunState) -> None:
        """Save a run that moved; Conflict if it was not in `came_from` or the champion is not who it met."""
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
            writes += [{"Delete": self._key_of(OPEN, run.run_id)}, self._to_tell(run)]
        if run.won:
            writes.append(self._crowned(run))
        with self._conflict(f"Run {run.run_id} has moved on."):
            self._client.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]

    def get(self, run_id: str) -> Run:
        """A run by name; NotFound if there is none."""
        item = self._get({"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RUN"}}) if is_run_id(run_id) else None
        if item is None:
            raise NotFound(f"There is no run {run_id}.")
        return msgspec.json.decode(item["body"]["S"], type=Run)

    def open_run(self) -> Run | None:
        """The run that is going on."""
        return self._pointed_at(OPEN)

    def champion(self) -> Run | None:
        """The run whose model reigns."""
        return self._pointed_at(CHAMPION)

    def recent(self, limit: int) -> Sequence[Run]:
        """The latest runs, newest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_time",
            KeyConditionExpression="kind = :run",
            ExpressionAttributeValues={":run": {"S": "run"}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit},
        )
        return [msgspec.json.decode(item["body"]["S"], type=Run) for page in pages for item in page["Items"]]

    def since(self, at: datetime) -> Iterator[Run]:
        """The runs created then or later."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by_time",
            KeyConditionExpression="kind = :run AND created_at >= :at",
            ExpressionAttributeValues={":run": {"S": "run"}, ":at": {"S": stamp(at)}},
        )
        return (msgspec.json.decode(item["body"]["S"], type=Run) for page in pages for item in page["Items"])

    def save_trial(self, run_id: str, trial: Trial) -> None:
        """Add a trial or replace what was known of it; one that ended never goes on again."""
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
        """A run's trials, in the order they were started."""
        items = self._below(f"RUN#{run_id}", "TRIAL#")
        return [msgspec.json.decode(item["body"]["S"], type=Trial) for item in items]

    def untold(self) -> Sequence[str]:
        """The runs that ended and that people may not have been told of."""
        return [item["run_id"]["S"] for item in self._below(MANAGER, UNTOLD)]

    def told(self, run_id: str) -> None:
        """People know how this run ended."""
        self._client.delete_item(TableName=self._table, Key=untold_key(run_id))

    def remind(self, run_id: str, at: datetime) -> None:
        """Have notify called once more for a run that ended: the stream has only what changes an item."""
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

    def _to_tell(self, run: Run) -> Item:
        return {"Put": {"TableName": self._table, "Item": {**untold_key(run.run_id), "run_id": {"S": run.run_id}}}}

    def _crowned(self, run: Run) -> Item:
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
