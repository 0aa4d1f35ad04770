"""CreateModelPackage and what is done with packages."""

from typing import Any

from .. import listing, service_model, tags
from ..errors import Invalid
from ..jobs import JobServices
from ..kinds import MODEL_PACKAGE, MODEL_PACKAGE_GROUP, Body
from ..records.ledger import Ledger
from .names import name_in, parent_of

TYPES = {"Versioned": "parent IS NOT NULL", "Unversioned": "parent IS NULL", "Both": "1"}
STATUS_DETAILS: Body = {"ValidationStatuses": [], "ImageScanStatuses": []}


class ModelPackages:
    """The operations on model packages."""

    def __init__(self, services: JobServices) -> None:
        self._ledger = services.ledger

    def create(self, request: Body, region: str) -> Body:
        """CreateModelPackage: the next version of a group, or a package without versions.

        A request with the ClientToken of an earlier one makes nothing, and has its answer.
        """
        check(request)
        token = request.pop("ClientToken", "")
        with self._ledger.store.transaction():
            same = "kind = ? AND json_extract(private, '$.token') = ?"
            earlier = self._ledger.store.select(same, (MODEL_PACKAGE.name, token)) if token else []
            arn = earlier[0].body["ModelPackageArn"] if earlier else self._create(request, region, token)
        return {"ModelPackageArn": arn}

    def _create(self, request: Body, region: str, token: str) -> str:
        given = tags.take(request)
        common = {"CertifyForMarketplace": False, "ModelPackageStatusDetails": STATUS_DETAILS}
        if "ModelPackageGroupName" not in request:
            body = self._ledger.create(MODEL_PACKAGE, {**common, **request}, given, region=region, token=token)
            return str(body["ModelPackageArn"])
        if given:
            raise Invalid("A version of a model package has no Tags: give them to its group.")
        record = self._ledger.find(MODEL_PACKAGE_GROUP, name_in(request["ModelPackageGroupName"]))
        group, version = record.body["ModelPackageGroupName"], record.private.get("versions", 0) + 1
        self._ledger.store.remember(MODEL_PACKAGE_GROUP, group, versions=version)
        body = {
            "ModelApprovalStatus": "PendingManualApproval",
            **common,
            **request,
            "ModelPackageGroupName": group,
            "ModelPackageName": f"{group}/{version}",
            "ModelPackageVersion": version,
        }
        body = self._ledger.create(MODEL_PACKAGE, body, [], parent_of(group), version, region=region, token=token)
        return str(body["ModelPackageArn"])

    def describe(self, request: Body) -> Body:
        body = self._ledger.find(MODEL_PACKAGE, name_in(request["ModelPackageName"])).body
        return self._ledger.describe(MODEL_PACKAGE, body)

    def update(self, request: Body) -> Body:
        """UpdateModelPackage: the approval of a version, and the metadata of any package."""
        name = name_in(request.pop("ModelPackageArn"))
        body = self._ledger.find(MODEL_PACKAGE, name).body
        if "ModelApprovalStatus" in request and "ModelPackageVersion" not in body:
            raise Invalid(f"The model package {name} has no versions, so it has no ModelApprovalStatus.")
        removed = request.pop("CustomerMetadataPropertiesToRemove", [])
        added = request.pop("CustomerMetadataProperties", {})

        def change(body: Body) -> None:
            body.update(request)
            kept = {**body.pop("CustomerMetadataProperties", {}), **added}
            kept = {key: value for key, value in kept.items() if key not in removed}
            if kept:
                body["CustomerMetadataProperties"] = kept

        return {"ModelPackageArn": self._ledger.change(MODEL_PACKAGE, name, change)["ModelPackageArn"]}

    def list(self, request: Body) -> Body:
        group, conditions, values = request.get("ModelPackageGroupName"), ["kind = ?"], [MODEL_PACKAGE.name]
        if group is not None:
            known = self._ledger.find(MODEL_PACKAGE_GROUP, name_in(group)).body
            conditions.append("parent = ?")
            values.append(parent_of(known["ModelPackageGroupName"]))
        conditions.append(TYPES[request.get("ModelPackageType", "Both" if group else "Unversioned")])
        if "ModelApprovalStatus" in request:
            conditions.append("json_extract(body, '$.ModelApprovalStatus') = ?")
            values.append(request["ModelApprovalStatus"])
        found, token = listing.page(self._ledger, MODEL_PACKAGE, conditions, values, request)
        shown = [self._ledger.describe(MODEL_PACKAGE, each.body) for each in found]
        items: list[Any] = [service_model.summary("ListModelPackages", each) for each in shown]
        return {"ModelPackageSummaryList": items, **token}

    def delete(self, request: Body) -> Body:
        """Deletes a package. Models that were made of it keep what they are."""
        name = name_in(request["ModelPackageName"])
        self._ledger.find(MODEL_PACKAGE, name)
        self._ledger.store.delete(MODEL_PACKAGE, name)
        return {}


def container_of_package(ledger: Ledger, given: str) -> Body:
    """The container of a model package, as a model has it. Raises Invalid where it can't be deployed."""
    body = ledger.find(MODEL_PACKAGE, name_in(given)).body
    approval = body.get("ModelApprovalStatus", "Approved")
    if approval != "Approved":
        raise Invalid(
            f"The model package {body['ModelPackageArn']} has the ModelApprovalStatus {approval}. Approve it first:"
            " UpdateModelPackage with the ModelApprovalStatus Approved."
        )
    container = body["InferenceSpecification"]["Containers"][0]
    names = ("Image", "ModelDataUrl", "ModelDataSource", "Environment")
    return {name: container[name] for name in names if name in container}


def check(request: Body) -> None:
    """Checks the rules for a package that the service model doesn't contain. Raises Invalid."""
    if ("ModelPackageName" in request) == ("ModelPackageGroupName" in request):
        raise Invalid("A model package needs either a ModelPackageName or a ModelPackageGroupName.")
    if "ModelPackageName" in request and "ModelApprovalStatus" in request:
        raise Invalid("Only a version of a group has a ModelApprovalStatus: give a ModelPackageGroupName.")
    containers = request.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1 or "Image" not in containers[0]:
        raise Invalid("A model package needs an InferenceSpecification with one container that has an Image.")
