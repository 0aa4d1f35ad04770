"""The SageMaker SDK's transformer and its model packages."""

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

# The SDK and what it is built on; what our side of these tests does must not warn.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:::{module}") for module in ("sagemaker", "pydantic", "boto3", "botocore")
]
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/article:latest"


@pytest.fixture(scope="module")
def session(endpoint: "Endpoint") -> Any:
    from sagemaker.core.helper.session_helper import Session  # noqa: PLC0415  seconds of imports

    return Session(default_bucket="bench")


@pytest.fixture(scope="module")
def package(endpoint: "Endpoint") -> str:
    """The ARN of an approved version of a model of the toy."""
    content, packed = json.dumps({"epochs": "7"}).encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("weights.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    endpoint.s3.put_object(Bucket="bench", Key="package/model.tar.gz", Body=packed.getvalue())
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="plants")
    container: Any = {"Image": IMAGE, "ModelDataUrl": "s3://bench/package/model.tar.gz"}
    return client.create_model_package(
        ModelPackageGroupName="plants",
        InferenceSpecification={"Containers": [container]},
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]


def test_the_transformer_of_a_model_package_writes_its_answers(
    endpoint: "Endpoint", session: Any, package: str
) -> None:
    from sagemaker.core.transformer import Transformer  # noqa: PLC0415

    boto3.client("sagemaker").create_model(ModelName="plants", PrimaryContainer={"ModelPackageName": package})
    endpoint.s3.put_object(Bucket="bench", Key="batch/rows.jsonl", Body=b'{"row": 1}\n{"row": 2}\n')
    transformer = Transformer(
        "plants",
        instance_count=1,
        instance_type="ml.m5.large",
        strategy="SingleRecord",
        assemble_with="Line",
        output_path="s3://bench/answers",
        accept="application/json",
        sagemaker_session=session,
    )
    transformer.transform(
        "s3://bench/batch/", content_type="application/json", split_type="Line", job_name="sdk", wait=True
    )

    rows = [json.loads(line) for line in endpoint.read("answers/rows.jsonl.out").splitlines()]
    assert rows == [{"asked": {"row": row}, "epochs": "7"} for row in (1, 2)]


def test_boto3s_waiter_waits_for_transform_jobs(endpoint: "Endpoint", session: Any, package: str) -> None:
    client = boto3.client("sagemaker")
    client.create_model(ModelName="waited", PrimaryContainer={"ModelPackageName": package})
    endpoint.s3.put_object(Bucket="bench", Key="waited/row.json", Body=b"1")
    source: Any = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/waited/"}}
    client.create_transform_job(
        TransformJobName="waited",
        ModelName="waited",
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": "s3://bench/waited-for"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="waited", WaiterConfig={"Delay": 1})

    assert json.loads(endpoint.read("waited-for/row.json.out"))["asked"] == 1


def test_the_sdk_finds_a_version_and_approves_it(session: Any, package: str) -> None:
    from sagemaker.core.resources import ModelPackage, ModelPackageGroup  # noqa: PLC0415

    found = ModelPackage.get(model_package_name=package, session=session.boto_session)
    assert found is not None
    assert (found.model_package_group_name, found.model_package_version) == ("plants", 1)
    assert found.model_approval_status == "Approved"
    group = ModelPackageGroup.get(model_package_group_name="plants", session=session.boto_session)
    assert group is not None
    assert group.model_package_group_status == "Completed"
