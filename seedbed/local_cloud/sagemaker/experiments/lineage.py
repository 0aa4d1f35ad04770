"""Artifacts and associations: what the SDK's Run makes of the charts that it logs. The rest of lineage is refused."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from .. import service_model, tags
from ..errors import Invalid, NotFound
from ..kinds import Body, Kind
from ..records import experiments as records
from ..records.store import JobRecord
from ..records.transitions import now
from .catalog import Catalog
from .paging import page

ARTIFACT = Kind("Artifact", "artifact", "")
ID_LENGTH = 32
NO_ARTIFACT = "Artifact '{}' does not exist."
TAKEN = "An artifact of this source already exists: {}"

SCHEMA = """
CREATE TABLE IF NOT EXISTS associations (
  source TEXT NOT NULL, destination TEXT NOT NULL, type TEXT, created REAL NOT NULL, PRIMARY KEY (source, destination))
"""
EXISTING = """
SELECT source, destination, type, created FROM associations
WHERE source IN (SELECT arn FROM jobs) AND destination IN (SELECT arn FROM jobs)
"""


class Lineage:
    """Create, Describe, List and Delete of artifacts; Add, List and Delete of associations.

    creates: by their names, the operations that take the client's region. table: all others. An artifact's ARN ends
    with a digest of its source, of which there is one artifact at most.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._store = catalog.store
        with self._store.transaction() as db:
            db.execute(SCHEMA)
        self.creates: dict[str, Callable[[Body, str], Body]] = {"CreateArtifact": self.create}
        self.table: dict[str, Callable[[Body], Body]] = {
            "DescribeArtifact": self.describe,
            "ListArtifacts": self.artifacts,
            "DeleteArtifact": self.delete,
            "AddAssociation": self.add,
            "ListAssociations": self.associations,
            "DeleteAssociation": self.remove,
        }

    def create(self, request: Body, region: str) -> Body:
        """CreateArtifact. Raises Invalid if there is one of the source."""
        given, key = tags.take(request), _key(request["Source"])
        arn = self._catalog.arn(ARTIFACT, key, region)
        name = {"name": request["ArtifactName"]} if "ArtifactName" in request else {}
        with self._store.transaction():
            if self._store.get(ARTIFACT, key):
                raise Invalid(TAKEN.format(arn))
            records.insert(self._store, ARTIFACT, arn, {**request, "ArtifactName": key}, **name)
            self._store.add_tags(arn, given)
        return {"ArtifactArn": arn}

    def describe(self, request: Body) -> Body:
        """DescribeArtifact."""
        return _shown(self._find(request["ArtifactArn"]))

    def artifacts(self, request: Body) -> Body:
        """ListArtifacts, the newest first unless the request says otherwise."""
        found = [_shown(row) for row in self._store.select("kind = ?", (ARTIFACT.name,))]
        if "SourceUri" in request:
            found = [each for each in found if each["Source"]["SourceUri"] == request["SourceUri"]]
        if "ArtifactType" in request:
            found = [each for each in found if each["ArtifactType"] == request["ArtifactType"]]
        items, token = _page("ListArtifacts", [(each["ArtifactArn"], each) for each in found], request)
        return {"ArtifactSummaries": [service_model.summary("ListArtifacts", each) for each in items], **token}

    def delete(self, request: Body) -> Body:
        """DeleteArtifact, by the ARN or the source. Raises Invalid for one with associations."""
        if ("ArtifactArn" in request) == ("Source" in request):
            raise Invalid("DeleteArtifact needs either an ArtifactArn or a Source.")
        key = _key(request["Source"]) if "Source" in request else request["ArtifactArn"].rpartition("/")[2]
        with self._store.transaction():
            row = self._store.get(ARTIFACT, key)
            if row is None:
                raise NotFound(NO_ARTIFACT.format(key))
            arn = row.body["ArtifactArn"]
            if self._rows(" AND ? IN (source, destination)", arn):
                raise Invalid(f"The artifact {arn} has associations. Delete these first.")
            records.remove(self._store, ARTIFACT, key)
        return {"ArtifactArn": arn}

    def add(self, request: Body) -> Body:
        """AddAssociation. Raises NotFound for an end that is not here, and Invalid if there is one already."""
        ends = {name: request[name] for name in ("SourceArn", "DestinationArn")}
        for arn in ends.values():
            self._catalog.ensure_arn(arn)
            tags.known_arn(self._store, arn)
        with self._store.transaction() as db:
            values = (*ends.values(), request.get("AssociationType"), now())
            if not db.execute("INSERT OR IGNORE INTO associations VALUES (?, ?, ?, ?)", values).rowcount:
                raise Invalid("An association of these two already exists.")
        return ends

    def associations(self, request: Body) -> Body:
        """ListAssociations, the newest first unless the request says otherwise."""
        asked = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
        wanted = {name: request[name] for name in asked if name in request}
        found = [each for each in self._associations() if {**each, **wanted} == each]
        placed = [(f"{each['SourceArn']} {each['DestinationArn']}", each) for each in found]
        items, token = _page("ListAssociations", placed, request)
        return {"AssociationSummaries": items, **token}

    def remove(self, request: Body) -> Body:
        """DeleteAssociation. Raises NotFound."""
        ends = (request["SourceArn"], request["DestinationArn"])
        with self._store.transaction() as db:
            if not db.execute("DELETE FROM associations WHERE source = ? AND destination = ?", ends).rowcount:
                raise NotFound("There is no association of these two.")
        return dict(zip(("SourceArn", "DestinationArn"), ends, strict=True))

    def _find(self, arn: str) -> JobRecord:
        row = self._store.get(ARTIFACT, arn.rpartition("/")[2])
        if row is None or row.body["ArtifactArn"] != arn:
            raise NotFound(NO_ARTIFACT.format(arn))
        return row

    def _associations(self) -> Iterator[Body]:
        """All whose two ends there are."""
        for source, destination, type_, created in self._rows():
            yield {
                "SourceArn": source,
                "DestinationArn": destination,
                **({"AssociationType": type_} if type_ else {}),
                **self._end("Source", source),
                **self._end("Destination", destination),
                "CreationTime": created,
            }

    def _rows(self, condition: str = "", *values: str) -> list[Any]:
        with self._store.transaction() as db:
            return list(db.execute(EXISTING + condition, values))

    def _end(self, end: str, arn: str) -> Body:
        """The type and name of an artifact at one end; nothing of another resource."""
        row = self._store.get(ARTIFACT, arn.rpartition("/")[2])
        if row is None:
            return {}
        shown = _shown(row)
        name = {f"{end}Name": shown["ArtifactName"]} if "ArtifactName" in shown else {}
        return {f"{end}Type": shown["ArtifactType"], **name}


def _key(source: Body) -> str:
    ids = sorted((each["SourceIdType"], each["Value"]) for each in source.get("SourceTypes", []))
    return hashlib.sha256(json.dumps([source["SourceUri"], ids]).encode()).hexdigest()[:ID_LENGTH]


def _shown(row: JobRecord) -> Body:
    """What Describe answers: the record has the digest in the place of the name, which need not be there or unique."""
    body = {name: value for name, value in row.body.items() if name not in ("ArtifactName", ARTIFACT.status_field)}
    return {**body, **({"ArtifactName": row.private["name"]} if "name" in row.private else {})}


def _page(operation: str, found: list[tuple[str, Body]], request: Body) -> tuple[list[Any], dict[str, str]]:
    after, before = request.get("CreatedAfter", 0.0), request.get("CreatedBefore", float("inf"))
    within = [(arn, each) for arn, each in found if after < each["CreationTime"] < before]
    by = request.get("SortBy", "CreationTime")
    down = request.get("SortOrder", "Descending") == "Descending"
    placed = [(each.get(by), arn, each) for arn, each in within]
    return page(placed, f"{operation} {by} {down}", request, down=down)
