"""The jobs on disk: one SQLite file that survives a kill -9 at any moment."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kinds import ENDED, Body, Kind
from .database_file import Copies

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL, status TEXT NOT NULL,
  created REAL NOT NULL, modified REAL NOT NULL, body TEXT NOT NULL,
  parent TEXT, number INTEGER, objective REAL, objective_status TEXT,
  private TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (kind, key));
CREATE INDEX IF NOT EXISTS children ON jobs (parent, number);
CREATE UNIQUE INDEX IF NOT EXISTS arns ON jobs (arn);
CREATE TABLE IF NOT EXISTS tags (arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key));
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
"""


@dataclass(frozen=True)
class JobRecord:
    """One stored job.

    body: what Describe answers. parent, number: the tuning job and the place in it, for its training jobs.
    private: what only the endpoint needs: the process's identity, the objective's series, a tuning job's seed.
    """

    body: Body
    parent: str | None
    number: int | None
    objective: float | None
    objective_status: str | None
    private: dict[str, Any]


class Store:
    """Jobs, tags and undelivered events. Every method is one transaction and may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error for a file that can't be opened or made: call `database_file.repair` first."""
        self._lock = threading.RLock()
        self._copies = Copies(path)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA temp_store=MEMORY")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self.take_copy()
        with self._lock:
            self._db.close()

    def take_copy(self) -> None:
        """Copies the records, unless nothing has changed since the last copy."""
        self._copies.take(self._db.total_changes)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Transactions opened inside another one are part of it."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self._db.execute("ROLLBACK")
                raise

    def insert(self, kind: Kind, body: Body, parent: str | None, number: int | None, private: dict[str, Any]) -> bool:
        """False if the name is taken; upper and lower case count as the same."""
        name = body[kind.name_field]
        row = (kind.name, name.lower(), name, body[kind.arn_field], body[kind.status_field], body["CreationTime"])
        with self.transaction() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO jobs"
                " (kind, key, name, arn, status, created, modified, body, parent, number, private)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, body["LastModifiedTime"], json.dumps(body), parent, number, json.dumps(private)),
            )
        return done.rowcount == 1

    def get(self, kind: Kind, name: str) -> JobRecord | None:
        found = self.select("kind = ? AND key = ?", (kind.name, name.lower()))
        return found[0] if found else None

    def select(
        self, where: str, values: Iterable[Any], order: str = "created, key", limit: int = -1
    ) -> list[JobRecord]:
        """The jobs that meet an SQL condition, which must not contain text of a request; limit: -1 for all."""
        with self.transaction() as db:
            rows = db.execute(
                "SELECT body, parent, number, objective, objective_status, private FROM jobs"  # noqa: S608  no outer text
                f" WHERE {where} ORDER BY {order} LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [
            JobRecord(
                body=json.loads(body),
                parent=parent,
                number=number,
                objective=objective,
                objective_status=objective_status,
                private=json.loads(private),
            )
            for body, parent, number, objective, objective_status, private in rows
        ]

    def in_progress(self, kind: Kind) -> list[JobRecord]:
        return self.select("kind = ? AND status NOT IN (?, ?, ?)", (kind.name, *ENDED))

    def children(self, tuning_job: str) -> list[JobRecord]:
        return self.select("parent = ?", (tuning_job.lower(),), "number")

    def update(self, kind: Kind, name: str, change: Callable[[Body], None]) -> Body:
        """Applies `change` to the body of a job that exists."""
        key = (kind.name, name.lower())
        with self.transaction() as db:
            body: Body = json.loads(db.execute("SELECT body FROM jobs WHERE kind = ? AND key = ?", key).fetchone()[0])
            change(body)
            db.execute(
                "UPDATE jobs SET body = ?, status = ?, modified = ? WHERE kind = ? AND key = ?",
                (json.dumps(body), body[kind.status_field], body["LastModifiedTime"], *key),
            )
        return body

    def remember(self, kind: Kind, name: str, **private: Any) -> None:
        """Adds to a job's private fields."""
        key = (kind.name, name.lower())
        with self.transaction() as db:
            db.execute(
                "UPDATE jobs SET private = json_patch(private, ?) WHERE kind = ? AND key = ?",
                (json.dumps(private), *key),
            )

    def set_objective(self, kind: Kind, name: str, status: str, value: float | None) -> None:
        with self.transaction() as db:
            db.execute(
                "UPDATE jobs SET objective_status = ?, objective = ? WHERE kind = ? AND key = ?",
                (status, value, kind.name, name.lower()),
            )

    def counts(self, tuning_job: str) -> list[tuple[str, str | None, bool, int]]:
        """How many training jobs have each (status, objective status, whether the endpoint itself failed)."""
        with self.transaction() as db:
            return db.execute(
                "SELECT status, objective_status,"
                " status = 'Failed' AND COALESCE(json_extract(body, '$.FailureReason') GLOB 'InternalServerError*', 0),"
                " COUNT(*) FROM jobs WHERE parent = ? GROUP BY 1, 2, 3",
                (tuning_job.lower(),),
            ).fetchall()

    def objectives(self, tuning_job: str) -> list[tuple[float, float]]:
        """(objective, epoch seconds of its end) of each training job with an objective, in the order of their ends."""
        with self.transaction() as db:
            return db.execute(
                "SELECT objective, json_extract(body, '$.TrainingEndTime') FROM jobs"
                " WHERE parent = ? AND objective IS NOT NULL ORDER BY 2, number",
                (tuning_job.lower(),),
            ).fetchall()

    def delete(self, kind: Kind, name: str) -> None:
        """Deletes a job and its tags. A tuning job's training jobs stay, without a parent."""
        key = name.lower()
        with self.transaction() as db:
            db.execute(
                "DELETE FROM tags WHERE arn = (SELECT arn FROM jobs WHERE kind = ? AND key = ?)", (kind.name, key)
            )
            db.execute("DELETE FROM jobs WHERE kind = ? AND key = ?", (kind.name, key))
            db.execute("UPDATE jobs SET parent = NULL WHERE parent = ?", (key,))

    def has_arn(self, arn: str) -> bool:
        with self.transaction() as db:
            return db.execute("SELECT 1 FROM jobs WHERE arn = ?", (arn,)).fetchone() is not None

    def add_tags(self, arn: str, tags: Iterable[dict[str, str]]) -> None:
        with self.transaction() as db:
            db.executemany("REPLACE INTO tags VALUES (?, ?, ?)", [(arn, tag["Key"], tag["Value"]) for tag in tags])

    def delete_tags(self, arn: str, keys: Iterable[str]) -> None:
        with self.transaction() as db:
            db.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])

    def tags(self, arn: str) -> list[dict[str, str]]:
        with self.transaction() as db:
            rows = db.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,)).fetchall()
        return [{"Key": key, "Value": value} for key, value in rows]

    def post(self, event: Body) -> None:
        with self.transaction() as db:
            db.execute("INSERT INTO outbox (event) VALUES (?)", (json.dumps(event),))

    def posted(self, limit: int) -> list[tuple[int, Body]]:
        with self.transaction() as db:
            rows = db.execute("SELECT id, event FROM outbox ORDER BY id LIMIT ?", (limit,)).fetchall()
        return [(number, json.loads(event)) for number, event in rows]

    def delivered(self, number: int) -> None:
        """Removes an event and all before it from the outbox."""
        with self.transaction() as db:
            db.execute("DELETE FROM outbox WHERE id <= ?", (number,))
