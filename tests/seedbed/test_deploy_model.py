"""`seedbed deploy-model` with a champion on AWS, as moto plays it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from seedbed.commands.hosting import place
from seedbed.stack import Stack
from tests.seedbed.commands import Person

RUN = "sb-0123456789abcdef-1"
URI = f"s3://seedlings/runs/{RUN}/evaluation/model.tar.gz"
ROLE = "arn:aws:iam::123456789012:role/seedlings-TrainingRole"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/seedbed-trainer@sha256:0123"
ARCHIVE = b"a model"
BEST = {"run_id": RUN, "model_uri": URI, "model_sha256": hashlib.sha256(ARCHIVE).hexdigest(), "test_accuracy": 0.971}
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


class Deployed(Stack):
    """A stack whose API knows a champion."""

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/models/best"
        return dict(BEST)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Person]:
    """Somebody with a stack `seedlings` in eu-west-1, whose run has evaluated its model."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with mock_aws():
        session = boto3.Session(region_name="eu-west-1")
        s3 = session.client("s3")
        s3.create_bucket(Bucket="seedlings", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="seedlings", Key=URI.removeprefix("s3://seedlings/"), Body=ARCHIVE)
        session.client("sagemaker").create_processing_job(
            ProcessingJobName=f"{RUN}-evaluate",
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            AppSpecification={"ImageUri": IMAGE},
            RoleArn=ROLE,
        )
        stack = Deployed(session, None, {"BucketName": "seedlings", "TrainingRole": ROLE})
        monkeypatch.setattr(place, "aws_stack", lambda _: stack)
        yield Person(monkeypatch, capsys)


@pytest.fixture
def sagemaker(person: Person) -> Any:
    return boto3.client("sagemaker", region_name="eu-west-1")


def packages(sagemaker: Any) -> list[dict[str, Any]]:
    """The stack's packages, oldest first."""
    listed = sagemaker.list_model_packages(ModelPackageGroupName="seedlings", SortBy="CreationTime")
    arns = [each["ModelPackageArn"] for each in listed["ModelPackageSummaryList"]]
    return [sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]


def test_the_champion_is_registered_approved_and_deployed_once(person: Person, sagemaker: Any) -> None:
    outcome = person.runs("deploy-model", "--aws", "seedlings")
    again = person.runs("deploy-model", "--aws", "seedlings")

    [package] = packages(sagemaker)
    [container] = package["InferenceSpecification"]["Containers"]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, URI)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["test_accuracy"] == "0.971"
    scores = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert scores == f"s3://seedlings/runs/{RUN}/evaluation/evaluation.json"

    endpoint = sagemaker.describe_endpoint(EndpointName="seedlings")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    [variant] = config["ProductionVariants"]
    assert (variant["VariantName"], variant["ServerlessConfig"]["MemorySizeInMB"]) == (RUN, 4096)
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"] == {"ModelPackageName": package["ModelPackageArn"]}
    assert model["ExecutionRoleArn"] == ROLE
    for arn in (endpoint["EndpointArn"], config["EndpointConfigArn"], model["ModelArn"]):
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "stack", "Value": "seedlings"}]

    lines = outcome.output.splitlines()
    assert lines[0] == f"The endpoint seedlings serves the model of run {RUN}."
    assert lines[2].startswith(
        "  aws sagemaker-runtime invoke-endpoint --region eu-west-1 --endpoint-name seedlings --content-type image/png "
    )
    assert lines[4].startswith('  boto3.client("sagemaker-runtime", region_name="eu-west-1").invoke_endpoint(')
    assert again.output.startswith(f"The endpoint seedlings serves the model of run {RUN} already, so nothing was")


def test_a_registered_champion_waits_for_approval_and_is_not_deployed(person: Person, sagemaker: Any) -> None:
    outcome = person.runs("deploy-model", "--pending", "--aws", "seedlings")
    person.runs("deploy-model", "--pending", "--aws", "seedlings")

    [package] = packages(sagemaker)
    arn = package["ModelPackageArn"]
    said = f"The model of run {RUN} is registered as {arn}. Its status is PendingManualApproval.\n"
    assert (outcome.status, outcome.output) == (0, said)
    assert f"--model-package-arn {arn}\n" in outcome.notes
    assert f"deploy-model {arn} --aws seedlings\n" in outcome.notes
    assert sagemaker.list_endpoints()["Endpoints"] == []

    assert person.runs("deploy-model", arn, "--aws", "seedlings").status == 1
    assert person.runs("deploy-model", "--aws", "seedlings").status == 0
    assert [each["ModelApprovalStatus"] for each in packages(sagemaker)] == ["Approved"]


def test_a_champion_that_somebody_rejected_is_not_deployed(person: Person, sagemaker: Any) -> None:
    person.runs("deploy-model", "--pending", "--aws", "seedlings")
    arn = packages(sagemaker)[0]["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    outcome = person.runs("deploy-model", "--aws", "seedlings")

    outcome.assert_is_sentence(1)
    assert "is not approved: its status is Rejected." in outcome.notes


def test_a_champion_that_was_changed_in_the_bucket_is_not_registered(person: Person, sagemaker: Any) -> None:
    place_of = URI.removeprefix("s3://seedlings/")
    boto3.client("s3", region_name="eu-west-1").put_object(Bucket="seedlings", Key=place_of, Body=b"another")

    outcome = person.runs("deploy-model", "--aws", "seedlings")

    outcome.assert_is_sentence(1)
    assert "is not the file that was recorded" in outcome.notes
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_a_stack_without_what_is_needed_is_told_in_a_sentence(person: Person, sagemaker: Any) -> None:
    old = Deployed(boto3.Session(region_name="eu-west-1"), None, {"BucketName": "seedlings"})
    person.monkeypatch.setattr(place, "aws_stack", lambda _: old)

    outcome = person.runs("deploy-model", "--aws", "seedlings")
    person.monkeypatch.setitem(BEST, "run_id", "sb-0123456789abcdef-2")
    unknown = person.runs("deploy-model", "--aws", "seedlings", "--role", ROLE)

    outcome.assert_is_sentence(1)
    assert outcome.notes.endswith("deploy --stack seedlings\n")
    unknown.assert_is_sentence(1)
    assert "SageMaker no longer knows the job sb-0123456789abcdef-2-evaluate" in unknown.notes


def test_a_registered_champion_is_deployed_though_sagemaker_has_forgotten_its_job(person: Person) -> None:
    person.runs("deploy-model", "--pending", "--aws", "seedlings")
    person.monkeypatch.setattr(
        "seedbed.commands.hosting.deploy_model.image_of", lambda *_: pytest.fail("The image was looked up.")
    )

    assert person.runs("deploy-model", "--aws", "seedlings").status == 0


def test_without_a_stack_the_role_is_the_callers_own(person: Person, sagemaker: Any) -> None:
    person.runs("deploy-model", "--aws", "seedlings")
    boto3.client("iam").create_role(RoleName="mine", Path="/team/", AssumeRolePolicyDocument=json.dumps(TRUST))
    session = boto3.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/team/mine", RoleSessionName="me")
    keys = {"ACCESS_KEY_ID": "AccessKeyId", "SECRET_ACCESS_KEY": "SecretAccessKey", "SESSION_TOKEN": "SessionToken"}
    with pytest.MonkeyPatch.context() as own:  # undone before moto takes its own keys back
        for variable, key in keys.items():
            own.setenv(f"AWS_{variable}", session["Credentials"][key])
        outcome = person.runs("deploy-model", "seedlings", "--account", "--endpoint", "mine")

    assert outcome.output.startswith(f"The endpoint mine serves the model of run {RUN}.\n")
    [model] = [each for each in sagemaker.list_models()["Models"] if each["ModelName"].startswith("mine-")]
    described = sagemaker.describe_model(ModelName=model["ModelName"])
    assert described["ExecutionRoleArn"] == "arn:aws:iam::123456789012:role/team/mine"


def test_a_local_cloud_that_is_not_running_is_to_be_started(person: Person, tmp_path: Path) -> None:
    (tmp_path / "home" / "sagemaker").mkdir(parents=True)
    person.monkeypatch.setenv("SEEDBED_HOME", str(tmp_path / "home"))

    outcome = person.runs("deploy-model")

    outcome.assert_is_sentence(1)
    assert f"The local cloud of {tmp_path / 'home'} is not running" in outcome.notes
