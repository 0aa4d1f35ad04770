"""The queues of asynchronous invocations: what was accepted and has no result yet, in the order in which it came."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from .store import Store

TABLE = """
CREATE TABLE IF NOT EXISTS async_requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, request TEXT NOT NULL, payload BLOB)
"""
INDEX = "CREATE INDEX IF NOT EXISTS async_queues ON async_requests (endpoint, number)"
ENDPOINTS = "SELECT key FROM jobs WHERE kind = 'Endpoint'"


@dataclass(frozen=True)
class AsyncRequest:
    """One accepted invocation, with all that its result needs, whatever becomes of the endpoint's configuration.

    input: where the payload is in S3, empty for one that is kept with the request. output, failure: where the answer,
    or what the container said instead, is written; empty if nowhere. headers: for the container. received: in epoch
    seconds. ttl, seconds: how long it may wait, and how long the container may take. topics: by the status of a
    result, the ARN of the topic that is told. included: the statuses for which the topic also gets the answer.
    """

    endpoint: str
    region: str
    inference_id: str
    received: float
    input: str
    output: str
    failure: str
    ttl: int
    seconds: int
    headers: dict[str, str] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    included: tuple[str, ...] = ()


def create_table(store: Store) -> None:
    """Makes the table, if there is none yet, and forgets the requests to endpoints that are gone."""
    with store.transaction() as db:
        db.execute(TABLE)
        db.execute(INDEX)
        db.execute(f"DELETE FROM async_requests WHERE endpoint NOT IN ({ENDPOINTS})")  # noqa: S608  no outer text


def add(store: Store, request: AsyncRequest, payload: bytes | None) -> bool:
    """Records a request as the last of its endpoint's queue; False if the endpoint is gone."""
    key = request.endpoint.lower()
    with store.transaction() as db:
        done = db.execute(
            "INSERT INTO async_requests (endpoint, request, payload) SELECT ?, ?, ?"
            f" WHERE ? IN ({ENDPOINTS} AND status <> 'Deleting')",
            (key, json.dumps(asdict(request)), payload, key),
        )
    return done.rowcount == 1


def queues(store: Store) -> list[str]:
    """The endpoints with requests, by their names in lower case."""
    with store.transaction() as db:
        return [name for (name,) in db.execute("SELECT DISTINCT endpoint FROM async_requests").fetchall()]


def oldest(store: Store, endpoint: str, limit: int, but: Collection[int]) -> list[tuple[int, AsyncRequest]]:
    """The first requests of a queue with their numbers, without those whose numbers are in `but`."""
    with store.transaction() as db:
        rows = db.execute(
            "SELECT number, request FROM async_requests WHERE endpoint = ? ORDER BY number LIMIT ?",
            (endpoint, limit + len(but)),
        ).fetchall()
    return [(number, _read(request)) for number, request in rows if number not in but][:limit]


def payload(store: Store, number: int) -> bytes:
    """The payload that is kept with a request."""
    with store.transaction() as db:
        found = db.execute("SELECT payload FROM async_requests WHERE number = ?", (number,)).fetchone()
    return bytes(found[0] or b"") if found else b""


def remove(store: Store, number: int) -> None:
    """Removes a request that has its result."""
    with store.transaction() as db:
        db.execute("DELETE FROM async_requests WHERE number = ?", (number,))


def forget(store: Store, endpoint: str) -> None:
    """Removes all requests to an endpoint."""
    with store.transaction() as db:
        db.execute("DELETE FROM async_requests WHERE endpoint = ?", (endpoint.lower(),))


def _read(stored: str) -> AsyncRequest:
    content = json.loads(stored)
    return AsyncRequest(**{**content, "included": tuple(content["included"])})
