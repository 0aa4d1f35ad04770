"""The requests for jobs: SageMaker's service model accepts them, and they say what the contract says."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.validate import validate_parameters

from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.domain.run import Run
from job_manager.domain.search_space import FIXED_HYPERPARAMETERS, SEARCH_SPACE
from tests.adapters.service_model import problems
from tests.fakes.world import PLAN, a_run

BUCKET = "seedbed-123456789012-us-east-1"
REQUESTS = JobRequests(BUCKET, "arn:aws:iam::123456789012:role/seedbed-training")
RUN = a_run()
RUN_ID = RUN.run_id
MODEL = f"s3://{BUCKET}/runs/{RUN_ID}/trials/t/output/model.tar.gz"


def shape_of(operation: str) -> Any:
    return boto3.client("sagemaker").meta.service_model.operation_model(operation).input_shape


@pytest.mark.parametrize(
    ("operation", "request_of"),
    [
        ("CreateProcessingJob", REQUESTS.prepare),
        ("CreateHyperParameterTuningJob", REQUESTS.tuning),
        ("CreateProcessingJob", lambda run: REQUESTS.evaluation(run, MODEL, None)),
        ("CreateProcessingJob", lambda run: REQUESTS.evaluation(run, MODEL, MODEL)),
    ],
)
@pytest.mark.parametrize("run", [RUN, replace(RUN, run_id=f"sb-{'f' * 16}-99", warm_start_from=(RUN_ID,) * 5)])
def test_requests_keep_to_sagemakers_service_model(operation: str, request_of: Any, run: Run) -> None:
    shape = shape_of(operation)
    request = request_of(run)

    validate_parameters(request, shape)

    assert list(problems(request, shape)) == []


def test_the_check_of_requests_sees_what_is_wrong() -> None:
    shape = shape_of("CreateHyperParameterTuningJob")
    wrong = REQUESTS.tuning(replace(RUN, run_id="-" + "x" * 40, plan=replace(PLAN, strategy="Guessing")))

    assert len(list(problems(wrong, shape))) >= 3


def test_prepare_reads_the_manifest_and_writes_the_pack() -> None:
    request = REQUESTS.prepare(RUN)

    assert request["ProcessingJobName"] == f"{RUN_ID}-prepare"
    arguments = ["prepare", "--image-size", "96", "--views", "2", "--minimum-per-label", "4"]
    assert request["AppSpecification"]["ContainerArguments"] == arguments
    (images,) = request["ProcessingInputs"]
    assert images["S3Input"]["S3DataType"] == "ManifestFile"
    assert images["S3Input"]["S3Uri"].endswith(f"/runs/{RUN_ID}/manifest.json")
    assert images["S3Input"]["LocalPath"] == "/opt/ml/processing/input/images"
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"].endswith(f"/runs/{RUN_ID}/pack")


def test_tuning_searches_the_search_space_for_the_best_validation_accuracy() -> None:
    request = REQUESTS.tuning(RUN)
    config, training = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    searched = {found["Name"] for kind in config["ParameterRanges"].values() for found in kind}

    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation_accuracy"}
    assert searched == set(SEARCH_SPACE)
    assert not searched & set(training["StaticHyperParameters"])
    assert training["StaticHyperParameters"] == FIXED_HYPERPARAMETERS
    assert "WarmStartConfig" not in request


def test_bounds_are_text_that_reads_as_the_number_it_was_and_fits_its_scaling() -> None:
    for kind, number in (("ContinuousParameterRanges", float), ("IntegerParameterRanges", int)):
        for found in REQUESTS.tuning(RUN)["HyperParameterTuningJobConfig"]["ParameterRanges"][kind]:
            low, high = number(found["MinValue"]), number(found["MaxValue"])
            assert low < high
            assert low > 0 or found["ScalingType"] == "Linear"


def test_no_more_trials_run_at_once_than_there_are() -> None:
    limits = REQUESTS.tuning(replace(RUN, plan=replace(PLAN, trials=1)))["HyperParameterTuningJobConfig"]

    assert limits["ResourceLimits"]["MaxParallelTrainingJobs"] == 1


def test_tuning_learns_from_the_runs_before_it() -> None:
    request = REQUESTS.tuning(replace(RUN, warm_start_from=("sb-a", "sb-b")))

    assert request["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [
            {"HyperParameterTuningJobName": "sb-a"},
            {"HyperParameterTuningJobName": "sb-b"},
        ],
        "WarmStartType": "TransferLearning",
    }


@pytest.mark.parametrize(("champion", "inputs"), [(None, ["test", "model"]), (MODEL, ["test", "model", "champion"])])
def test_evaluate_reads_the_test_split_and_the_models_there_are(champion: str | None, inputs: list[str]) -> None:
    request = REQUESTS.evaluation(RUN, MODEL, champion)

    assert [given["InputName"] for given in request["ProcessingInputs"]] == inputs
    assert request["ProcessingInputs"][0]["S3Input"]["S3Uri"].endswith(f"/runs/{RUN_ID}/pack/test/")
    assert request["ProcessingInputs"][1]["S3Input"]["S3Uri"] == MODEL
