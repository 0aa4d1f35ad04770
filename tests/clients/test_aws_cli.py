"""The AWS CLI with the endpoint. It pins its own botocore, so it has its own virtual environment."""

import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.children import run

if TYPE_CHECKING:
    from tests.sagemaker.toy_endpoint import Endpoint

OURS = Path(__file__).parents[2] / ".venv/aws/bin/aws"
AWS = str(OURS) if OURS.exists() else shutil.which("aws")

pytestmark = pytest.mark.skipif(AWS is None, reason="the AWS CLI is neither in .venv/aws nor on the PATH")


def aws(environment: dict[str, str], *words: str, fails: bool = False) -> Any:
    assert AWS
    done = run([AWS, *words, "--output", "json"], env={**environment, "AWS_PAGER": ""})
    if fails:
        assert done.returncode != 0
        return done.stderr
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout


def test_a_tuning_job_from_creation_to_deletion(
    endpoint: "Endpoint", environment: dict[str, str], tmp_path: Path
) -> None:
    request = endpoint.tuning_request("cli", jobs=2)
    (tmp_path / "request.json").write_text(json.dumps(request))
    created = aws(
        environment,
        *("sagemaker", "create-hyper-parameter-tuning-job", "--cli-input-json", f"file://{tmp_path}/request.json"),
    )
    assert created["HyperParameterTuningJobArn"].endswith(":hyper-parameter-tuning-job/cli")
    endpoint.ended("tuning", "cli")
    name = ("--hyper-parameter-tuning-job-name", "cli")
    described = aws(environment, "sagemaker", "describe-hyper-parameter-tuning-job", *name)
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    listed = aws(
        environment,
        *("sagemaker", "list-training-jobs-for-hyper-parameter-tuning-job", *name),
        *("--sort-by", "FinalObjectiveMetricValue", "--sort-order", "Descending", "--page-size", "1"),
    )
    names = [trial["TrainingJobName"] for trial in listed["TrainingJobSummaries"]]
    assert len(names) == 2, "it goes from page to page"
    assert names[0] == described["BestTrainingJob"]["TrainingJobName"]


def test_the_cli_waits_for_a_training_job_and_copies_its_model(
    endpoint: "Endpoint", environment: dict[str, str], tmp_path: Path
) -> None:
    aws(
        environment,
        *("sagemaker", "create-training-job", "--training-job-name", "cli-train"),
        *("--algorithm-specification", "TrainingImage=toy,TrainingInputMode=File"),
        *("--role-arn", "arn:aws:iam::000000000000:role/toy", "--hyper-parameters", "epochs=1"),
        *("--output-data-config", "S3OutputPath=s3://bench/cli", "--stopping-condition", "MaxRuntimeInSeconds=60"),
        *("--resource-config", "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=1"),
    )
    endpoint.ended("training", "cli-train")
    aws(environment, "sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", "cli-train")
    aws(environment, "s3", "cp", "s3://bench/cli/cli-train/output/model.tar.gz", str(tmp_path), "--no-progress")
    assert (tmp_path / "model.tar.gz").stat().st_size > 0


def test_a_model_is_put_behind_an_endpoint_and_asked(
    endpoint: "Endpoint", environment: dict[str, str], tmp_path: Path
) -> None:
    endpoint.s3.put_object(Bucket="bench", Key="cli/model.tar.gz", Body=packed({"epochs": "9"}))
    name = ("--endpoint-name", "cli")
    variant = "VariantName=AllTraffic,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
    model = "Image=article,ModelDataUrl=s3://bench/cli/model.tar.gz"
    aws(environment, "sagemaker", "create-model", "--model-name", "cli", "--primary-container", model)
    config = ("--endpoint-config-name", "cli")
    aws(environment, "sagemaker", "create-endpoint-config", *config, "--production-variants", variant)
    aws(environment, "sagemaker", "create-endpoint", *name, *config)
    endpoint.eventually(
        lambda: endpoint.sagemaker.describe_endpoint(EndpointName="cli")["EndpointStatus"] != "Creating"
    )
    aws(environment, "sagemaker", "wait", "endpoint-in-service", *name)
    (tmp_path / "asked.json").write_text("[3]")
    body = ("--body", f"fileb://{tmp_path}/asked.json", str(tmp_path / "answer.json"))
    answer = aws(environment, "sagemaker-runtime", "invoke-endpoint", *name, *body)

    assert answer == {"ContentType": "application/json", "InvokedProductionVariant": "AllTraffic"}
    assert json.loads((tmp_path / "answer.json").read_text()) == {"asked": [3], "epochs": "9"}
    said = aws(environment, "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "nobody", *body, fails=True)
    assert "Endpoint nobody of account 000000000000 not found." in said


def packed(weights: dict[str, str]) -> bytes:
    """A model.tar.gz of the article's container."""
    content, archive = json.dumps(weights).encode(), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("weights.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def test_a_mistake_is_answered_as_by_aws(environment: dict[str, str]) -> None:
    name = ("--hyper-parameter-tuning-job-name", "nobody")
    said = aws(environment, "sagemaker", "describe-hyper-parameter-tuning-job", *name, fails=True)
    assert "ResourceNotFound" in said
    assert "nobody" in said
