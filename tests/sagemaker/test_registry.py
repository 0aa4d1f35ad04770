"""Model packages: versions of a group, their approval, and models that are made of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sagemaker.hosted import IMAGE, Hosted, archive
from tests.sagemaker.toy_endpoint import BUCKET, ROLE

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


class Registry(Hosted):
    """The server, with what makes packages on it."""

    def inference(self, name: str, **changes: Any) -> dict[str, Any]:
        """An InferenceSpecification with the toy, whose archive is of this name."""
        key = f"packages/{name}.tar.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=archive({"name": name}))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}", **changes}
        return {
            "Containers": [container],
            "SupportedContentTypes": ["text/plain"],
            "SupportedResponseMIMETypes": ["application/json"],
        }

    def group(self, name: str) -> str:
        self.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        return name

    def version(self, group: str, name: str = "toy", **more: Any) -> str:
        """The ARN of a new version."""
        request = {"ModelPackageGroupName": group, "InferenceSpecification": self.inference(name), **more}
        arn: str = self.sagemaker.create_model_package(**request)["ModelPackageArn"]
        return arn

    def versions(self, group: str, **more: Any) -> list[int]:
        found = self.sagemaker.list_model_packages(ModelPackageGroupName=group, **more)["ModelPackageSummaryList"]
        return [each["ModelPackageVersion"] for each in found]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    server = Registry(tmp_path_factory.mktemp("registry") / "endpoint")
    yield server
    server.end()


def test_versions_of_a_group_are_numbered(registry: Registry) -> None:
    registry.group("Numbered")
    arns = [registry.version("Numbered"), registry.version(f"{ARN}:model-package-group/numbered")]

    assert arns == [f"{ARN}:model-package/numbered/1", f"{ARN}:model-package/numbered/2"]
    assert registry.versions("Numbered") == [1, 2]
    assert registry.versions("Numbered", SortOrder="Descending", MaxResults=1) == [2]


def test_a_number_is_given_once(registry: Registry) -> None:
    registry.group("once")
    registry.sagemaker.delete_model_package(ModelPackageName=registry.version("once"))
    registry.version("once")

    assert registry.versions("once") == [2]


def test_a_request_that_is_repeated_with_its_token_makes_one_version(registry: Registry) -> None:
    registry.group("repeated")
    arns = {registry.version("repeated", ClientToken="the-same") for _ in range(2)}

    assert arns == {f"{ARN}:model-package/repeated/1"}
    assert registry.versions("repeated") == [1]


def test_a_version_is_described_by_its_arn(registry: Registry) -> None:
    registry.group("described")
    metadata = {"run": "7"}
    arn = registry.version("described", ModelPackageDescription="fine leaves", CustomerMetadataProperties=metadata)
    found = registry.sagemaker.describe_model_package(ModelPackageName=arn)

    assert "ModelPackageName" not in found
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"]) == ("described", 1)
    assert (found["ModelPackageStatus"], found["ModelApprovalStatus"]) == ("Completed", "PendingManualApproval")
    assert found["ModelPackageDescription"] == "fine leaves"
    assert found["CustomerMetadataProperties"] == metadata
    assert found["ModelPackageStatusDetails"]["ValidationStatuses"] == []
    assert found["InferenceSpecification"]["Containers"][0]["Image"] == IMAGE


def test_an_approved_version_answers_at_an_endpoint(registry: Registry) -> None:
    registry.group("served")
    arn = registry.version("served", "the served one")
    container = {"ModelPackageName": arn, "Environment": {"MOOD": "grave"}}
    request = {"ModelName": "served", "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    with pytest.raises(registry.sagemaker.exceptions.ClientError, match=r"PendingManualApproval\. Approve it first"):
        registry.sagemaker.create_model(**request)
    registry.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    registry.sagemaker.create_model(**request)
    registry.sagemaker.delete_model_package(ModelPackageName=arn)
    registry.config("served")
    registry.sagemaker.create_endpoint(EndpointName="served", EndpointConfigName="served")

    assert registry.settled("served")["EndpointStatus"] == "InService"
    seen = registry.invoke("served")
    assert (seen["name"], seen["mood"]) == ("the served one", "grave")
    shown = registry.sagemaker.describe_model(ModelName="served")["PrimaryContainer"]
    assert (shown["ModelPackageName"], "Image" in shown) == (arn, False)


def test_lists_tell_versions_by_their_approval(registry: Registry) -> None:
    registry.group("told")
    for status in ("Approved", "Rejected", "Approved"):
        registry.version("told", ModelApprovalStatus=status)

    assert registry.versions("told", ModelApprovalStatus="Approved") == [1, 3]
    assert registry.versions("told", ModelApprovalStatus="PendingManualApproval") == []


def test_a_package_without_a_group_has_a_name(registry: Registry) -> None:
    request = {"ModelPackageName": "alone", "InferenceSpecification": registry.inference("alone")}
    arn = registry.sagemaker.create_model_package(**request)["ModelPackageArn"]
    registry.group("beside")
    registry.version("beside")

    assert arn == f"{ARN}:model-package/alone"
    found = registry.sagemaker.list_model_packages()["ModelPackageSummaryList"]
    assert [each["ModelPackageName"] for each in found] == ["alone"]
    both = registry.sagemaker.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"]
    assert arn in [each["ModelPackageArn"] for each in both]
    assert len(both) > 1
    with pytest.raises(registry.sagemaker.exceptions.ClientError, match="has no ModelApprovalStatus"):
        registry.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")


def test_metadata_are_added_and_removed(registry: Registry) -> None:
    registry.group("metadata")
    arn = registry.version("metadata", CustomerMetadataProperties={"a": "1", "b": "2"})
    registry.sagemaker.update_model_package(
        ModelPackageArn=arn, CustomerMetadataProperties={"c": "3"}, CustomerMetadataPropertiesToRemove=["a"]
    )

    found = registry.sagemaker.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
    assert found == {"b": "2", "c": "3"}


def test_a_group_is_deleted_once_it_has_no_versions(registry: Registry) -> None:
    registry.group("full")
    arn = registry.version("full")
    with pytest.raises(registry.sagemaker.exceptions.ConflictException, match="has model packages"):
        registry.sagemaker.delete_model_package_group(ModelPackageGroupName="full")
    registry.sagemaker.delete_model_package(ModelPackageName=arn)
    registry.sagemaker.delete_model_package_group(ModelPackageGroupName="full")

    with pytest.raises(registry.sagemaker.exceptions.ClientError, match=r"Model package group .*full does not exist"):
        registry.sagemaker.describe_model_package_group(ModelPackageGroupName="full")


def test_groups_are_described_and_listed(registry: Registry) -> None:
    tags = [{"Key": "team", "Value": "weeds"}]
    arn = registry.sagemaker.create_model_package_group(
        ModelPackageGroupName="grouped", ModelPackageGroupDescription="seedlings", Tags=tags
    )["ModelPackageGroupArn"]
    found = registry.sagemaker.describe_model_package_group(ModelPackageGroupName=arn)

    assert (found["ModelPackageGroupStatus"], found["ModelPackageGroupDescription"]) == ("Completed", "seedlings")
    listed = registry.sagemaker.list_model_package_groups(NameContains="grouped")["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupArn"] for each in listed] == [arn]
    assert registry.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    with pytest.raises(registry.sagemaker.exceptions.ClientError, match="Model package group already exists"):
        registry.group("Grouped")


def test_search_finds_versions_groups_and_endpoints(registry: Registry) -> None:
    registry.sagemaker.create_model_package_group(
        ModelPackageGroupName="sought", Tags=[{"Key": "team", "Value": "crops"}]
    )
    for status in ("Rejected", "Approved", "Approved"):
        registry.version("sought", ModelApprovalStatus=status, CustomerMetadataProperties={"run": status.lower()})
    registry.deploy("sought")

    def found(resource: str, *filters: tuple[str, str], **more: Any) -> list[dict[str, Any]]:
        asked = [{"Name": name, "Operator": "Equals", "Value": value} for name, value in filters]
        answer = registry.sagemaker.search(Resource=resource, SearchExpression={"Filters": asked}, **more)
        return [each[resource] for each in answer["Results"]]

    of_group = ("ModelPackageGroupName", "sought")
    approved = found("ModelPackage", of_group, ("ModelApprovalStatus", "Approved"), SortBy="ModelPackageVersion")
    assert [each["ModelPackageName"] for each in approved] == ["sought/3", "sought/2"]
    (rejected,) = found("ModelPackage", of_group, ("CustomerMetadataProperties.run", "rejected"))
    described = registry.sagemaker.describe_model_package(ModelPackageName=rejected["ModelPackageArn"])
    assert rejected["InferenceSpecification"] == described["InferenceSpecification"]
    (group,) = found("ModelPackageGroup", ("Tags.team", "crops"))
    assert group["ModelPackageGroupName"] == "sought"
    (endpoint,) = found("Endpoint", ("EndpointName", "sought"), ("ProductionVariants.VariantName", "AllTraffic"))
    assert endpoint["EndpointStatus"] == "InService"


def test_each_approval_is_an_event(registry: Registry) -> None:
    events, queues = registry.client("events"), registry.client("sqs")
    queue = queues.create_queue(QueueName="packages")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"]}
    wanted = {**pattern, "detail": {"ModelPackageGroupName": ["heard"]}}
    events.put_rule(Name="packages", EventPattern=json.dumps(wanted))
    events.put_targets(Rule="packages", Targets=[{"Id": "queue", "Arn": arn}])
    registry.group("heard")
    package = registry.version("heard")
    registry.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    heard: list[dict[str, Any]] = []

    def has_heard_all() -> bool:
        got = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        heard.extend(json.loads(message["Body"]) for message in got)
        return len(heard) == 2

    registry.eventually(has_heard_all)
    found = sorted(event["detail"]["ModelApprovalStatus"] for event in heard)
    assert found == ["Approved", "PendingManualApproval"]
    assert heard[0]["resources"] == [package]
    assert "ModelPackageName" not in heard[0]["detail"]


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"ModelPackageGroupName": "missing"}, "Model package group arn:.*missing does not exist"),
    ({"ModelPackageName": "both", "ModelPackageGroupName": "unfit"}, "either a ModelPackageName or"),
    ({}, "either a ModelPackageName or"),
    ({"ModelPackageName": "one", "ModelApprovalStatus": "Approved"}, "Only a version of a group"),
    (
        {"ModelPackageName": "one", "InferenceSpecification": {"Containers": [{"ContainerHostname": "a"}]}},
        "one container that has an Image",
    ),
    ({"ModelPackageGroupName": "unfit", "Tags": [{"Key": "a", "Value": "b"}]}, "give them to its group"),
    ({"ModelPackageName": "one", "CertifyForMarketplace": True}, "there is no marketplace"),
]


@pytest.mark.parametrize(("changes", "said"), UNFIT)
def test_a_package_that_makes_no_sense_is_refused(registry: Registry, changes: dict[str, Any], said: str) -> None:
    if not registry.sagemaker.list_model_package_groups(NameContains="unfit")["ModelPackageGroupSummaryList"]:
        registry.group("unfit")
    request = {"InferenceSpecification": registry.inference("unfit"), **changes}
    with pytest.raises(registry.sagemaker.exceptions.ClientError, match=said):
        registry.unchecked.create_model_package(**request)
    assert registry.versions("unfit") == []
