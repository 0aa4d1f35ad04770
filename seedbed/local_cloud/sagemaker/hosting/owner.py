"""What containers that serve are started for, and what an earlier run of this program left of them."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..containers.process import kill_leftover
from ..jobs import JobServices, Output, remove_directory
from ..kinds import ENDPOINT, Body, Kind
from ..records.store import JobRecord
from ..settings import region_of

LOG_GROUP = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class Owner:
    """What containers are started for: an endpoint, or a job that calls a model.

    kind, name: of its record. region, group: where CloudWatch Logs has their lines.
    """

    kind: Kind
    name: str
    region: str
    group: str

    @classmethod
    def endpoint(cls, body: Body) -> "Owner":
        """The endpoint that has this record."""
        name = body["EndpointName"]
        return cls(ENDPOINT, name, region_of(body["EndpointArn"]), f"{LOG_GROUP}/{name}")


class InstanceOutput(Output):
    """Sends the lines of a container to its owner's log group. stream: the log stream's name."""

    def __init__(self, services: JobServices, owner: Owner, stream: str) -> None:
        super().__init__(services, "", "", owner.region)
        self._stream = (owner.group, stream)


def end_leftovers(services: JobServices, kind: Kind, records: Sequence[JobRecord]) -> None:
    """Ends the containers that an earlier run of this program left for these records, and removes their folders."""
    for record in records:
        for identity in record.private.get("processes", {}).values():
            kill_leftover(identity)
        name = record.body[kind.name_field]
        remove_directory(services.settings.work_dir(kind, name))
        with suppress(sqlite3.OperationalError):  # the disk may be full
            services.ledger.store.remember(kind, name, processes=None)
