"""CreateModelPackageGroup and what is done with groups."""

from typing import Any

from .. import listing, service_model, tags
from ..errors import Conflict
from ..jobs import JobServices
from ..kinds import MODEL_PACKAGE_GROUP, Body
from .names import name_in, parent_of


class ModelPackageGroups:
    """The operations on model package groups."""

    def __init__(self, services: JobServices) -> None:
        self._ledger = services.ledger

    def create(self, request: Body, region: str) -> Body:
        body = self._ledger.create(MODEL_PACKAGE_GROUP, request, tags.take(request), region=region)
        return {"ModelPackageGroupArn": body["ModelPackageGroupArn"]}

    def describe(self, request: Body) -> Body:
        body = self._ledger.find(MODEL_PACKAGE_GROUP, name_in(request["ModelPackageGroupName"])).body
        return {"CreatedBy": {}, **body}

    def list(self, request: Body) -> Body:
        conditions, values = ["kind = ?"], [MODEL_PACKAGE_GROUP.name]
        found, token = listing.page(self._ledger, MODEL_PACKAGE_GROUP, conditions, values, request)
        items: list[Any] = [service_model.summary("ListModelPackageGroups", each.body) for each in found]
        return {"ModelPackageGroupSummaryList": items, **token}

    def delete(self, request: Body) -> Body:
        """Deletes a group that has no versions. Raises Conflict for others."""
        store = self._ledger.store
        with store.transaction():
            body = self._ledger.find(MODEL_PACKAGE_GROUP, name_in(request["ModelPackageGroupName"])).body
            name = body["ModelPackageGroupName"]
            if store.children(parent_of(name)):
                raise Conflict(f"The model package group {name} has model packages. Delete them first.")
            store.delete(MODEL_PACKAGE_GROUP, name)
        return {}
