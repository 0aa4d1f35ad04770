"""Model packages: the champion's is registered, and those of others are found."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from ..errors import SeedbedError
from .champion import Champion
from .names import PACKAGE_ARN, named_after, tag_of

APPROVED, PENDING = "Approved", "PendingManualApproval"
RUN = "run_id"
RUN_ID = re.compile(r"(?=.{1,63}$)sb(-[0-9a-z]+)+")
APPROVE = "aws sagemaker update-model-package --model-approval-status Approved --model-package-arn {}"
NOT_APPROVED = f"The model package {{}} is not approved: its status is {{}}. Approve it with: {APPROVE}"
NO_GROUP = "There is no group of model packages {}{}. See which there are with: aws sagemaker list-model-package-groups"
NONE_APPROVED = f"The group {{}} has no approved model package. Approve one with: {APPROVE.format('ARN')}"
NO_PACKAGE = "There is no model package {}{}."
NO_IMAGE = "The model package {} has not one container with an image, so it can't be deployed."


@dataclass(frozen=True)
class Package:
    """A model package. approval: its ModelApprovalStatus, Approved for one without versions.

    image: empty if it has not one container with an image. run_id: the run whose model it is, empty for another's.
    """

    arn: str
    approval: str
    image: str
    model_uri: str
    run_id: str

    def check_deployable(self) -> None:
        """Raises SeedbedError if nobody has approved the package, or it has no image."""
        if self.approval != APPROVED:
            raise SeedbedError(NOT_APPROVED.format(self.arn, self.approval, self.arn))
        if not self.image:
            raise SeedbedError(NO_IMAGE.format(self.arn))


def registered(sagemaker: Any, champion: Champion, group: str) -> Package | None:
    """The champion's package, if it is in the group already."""
    if not has_group(sagemaker, group):
        return None
    found = (read(sagemaker, arn) for arn in newest_first(sagemaker, group))
    return next((package for package in found if package.model_uri == champion.model_uri), None)


def make_group(sagemaker: Any, group: str, stack: str) -> None:
    """Make the group of a stack's champions, unless there is one."""
    if not has_group(sagemaker, group):
        sagemaker.create_model_package_group(
            ModelPackageGroupName=group,
            ModelPackageGroupDescription="Champions of Seedbed",
            Tags=[tag_of(stack)],
        )


def register(sagemaker: Any, champion: Champion, image: str, group: str, approval: str) -> Package:
    """Register a champion, which this image serves, in a group."""
    created = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription=f"The champion of run {champion.run_id}",
        InferenceSpecification={
            "Containers": [{"Image": image, "ModelDataUrl": champion.model_uri}],
            "SupportedContentTypes": ["image/jpeg", "image/png", "application/json"],
            "SupportedResponseMIMETypes": ["application/json", "text/csv"],
        },
        ModelApprovalStatus=approval,
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": champion.scores}}},
        CustomerMetadataProperties=champion.facts,
    )
    return read(sagemaker, created["ModelPackageArn"])


def approve(sagemaker: Any, package: Package) -> Package:
    """Approve a package that waits for that. Raises SeedbedError for one that somebody has rejected."""
    if package.approval == PENDING:
        sagemaker.update_model_package(ModelPackageArn=package.arn, ModelApprovalStatus=APPROVED)
        return replace(package, approval=APPROVED)
    package.check_deployable()
    return package


def chosen(sagemaker: Any, given: str, where: str) -> Package:
    """The package of an ARN, or the latest approved one of a group.

    where: a clause for the sentence about what is missing. Raises SeedbedError if there is none that is approved.
    """
    if PACKAGE_ARN.fullmatch(given):
        package = _named(sagemaker, given, where)
    elif not has_group(sagemaker, given):
        raise SeedbedError(NO_GROUP.format(given, where))
    elif arn := next(newest_first(sagemaker, given, ModelApprovalStatus=APPROVED), None):
        package = read(sagemaker, arn)
    else:
        raise SeedbedError(NONE_APPROVED.format(given))
    package.check_deployable()
    return package


def _named(sagemaker: Any, arn: str, where: str) -> Package:
    """The package of an ARN. Raises SeedbedError if there is none."""
    try:
        return read(sagemaker, arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        raise SeedbedError(NO_PACKAGE.format(arn, where)) from error


def read(sagemaker: Any, arn: str) -> Package:
    """The package of an ARN. Raises ClientError if there is none."""
    body = sagemaker.describe_model_package(ModelPackageName=arn)
    containers = body.get("InferenceSpecification", {}).get("Containers", [])
    container = containers[0] if len(containers) == 1 else {}
    run_id = (body.get("CustomerMetadataProperties") or {}).get(RUN, "")
    return Package(
        arn=arn,
        approval=body.get("ModelApprovalStatus", APPROVED),
        image=container.get("Image", ""),
        model_uri=container.get("ModelDataUrl", ""),
        run_id=run_id if RUN_ID.fullmatch(run_id) else "",
    )


def has_group(sagemaker: Any, group: str) -> bool:
    """Whether there is a group of this name; SageMaker takes upper and lower case as the same."""
    return _summary(sagemaker, group) is not None


def group_of_stack(sagemaker: Any, stack: str) -> str | None:
    """The name of the group that was made for a stack's champions, if there is one.

    A group of this name without the stack's tag is somebody else's.
    """
    found = _summary(sagemaker, named_after(stack))
    if not found or tag_of(stack) not in sagemaker.list_tags(ResourceArn=found["ModelPackageGroupArn"])["Tags"]:
        return None
    return str(found["ModelPackageGroupName"])


def _summary(sagemaker: Any, group: str) -> dict[str, Any] | None:
    """What a list of the groups says of the one with this name."""
    pages = sagemaker.get_paginator("list_model_package_groups").paginate(NameContains=group)
    groups = (each for page in pages for each in page["ModelPackageGroupSummaryList"])
    return next((each for each in groups if each["ModelPackageGroupName"].lower() == group.lower()), None)


def delete_group(sagemaker: Any, group: str) -> None:
    """Delete a group with its packages."""
    for arn in list(newest_first(sagemaker, group)):
        sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def newest_first(sagemaker: Any, group: str, **filters: str) -> Iterator[str]:
    """The ARNs of a group's packages."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", **filters
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            yield summary["ModelPackageArn"]
