"""The jobs on SageMaker: requests that its service model accepts, and answers and errors as it words them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from botocore.validate import validate_parameters

from job_manager.aws.sagemaker import SageMakerJobs
from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.domain.errors import JobRejected, NotFound
from job_manager.domain.job import JobStatus
from job_manager.domain.run import Run
from job_manager.domain.search_space import FIXED_HYPERPARAMETERS, SEARCH_SPACE
from job_manager.ports import Jobs
from tests.adapters.service_model import problems
from tests.fakes.world import PLAN, a_run

ROLE = "arn:aws:iam::123456789012:role/seedbed-training"
REQUESTS = JobRequests("seedbed-123456789012-us-east-1", ROLE)
RUN = a_run()
RUN_ID = RUN.run_id
MODEL = f"s3://seedbed-123456789012-us-east-1/runs/{RUN_ID}/trials/t/output/model.tar.gz"
BEGAN, ENDED = datetime(2026, 3, 20, 9, tzinfo=UTC), datetime(2026, 3, 20, 9, 1, 30, tzinfo=UTC)
CREATIONS = {
    "create_processing_job": ("start_prepare", "start_evaluation"),
    "create_hyper_parameter_tuning_job": ("start_tuning",),
}
STARTS = [(operation, start) for operation, starts in CREATIONS.items() for start in starts]
UNKNOWN = [
    ("ResourceNotFound", "Requested resource not found."),
    ("ValidationException", "Could not find requested job with name: x"),
    ("ValidationException", "Requested resource not found."),
]


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """SageMaker, which answers what it is told and holds requests to its service model."""
    with Stubber(boto3.client("sagemaker")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def jobs(stub: Stubber) -> SageMakerJobs:
    client: Any = stub.client
    return SageMakerJobs(client, REQUESTS)


def start(jobs: Jobs, method: str, run: Run = RUN) -> None:
    if method == "start_evaluation":
        jobs.start_evaluation(run, MODEL, None)
    else:
        getattr(jobs, method)(run)


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


@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_a_job_that_is_there_already_is_success(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str
) -> None:
    stub.add_client_error(operation, "ResourceInUse", "Job name must be unique.")

    start(jobs, method)


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFound", "AccessDeniedException"])
@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_a_job_that_sagemaker_will_never_accept_is_rejected_with_its_words(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str, code: str
) -> None:
    stub.add_client_error(operation, code, "No such image.")

    with pytest.raises(JobRejected, match=r"SageMaker refused the \w+ job: No such image\."):
        start(jobs, method)


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceLimitExceeded", "InternalFailure"])
@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_what_passes_is_left_to_be_tried_again(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str, code: str
) -> None:
    stub.add_client_error(operation, code, "Come back later.")

    with pytest.raises(ClientError, match="Come back later"):
        start(jobs, method)


@pytest.mark.parametrize("error", UNKNOWN)
@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("describe_processing_job", "prepare_job"),
        ("describe_processing_job", "evaluation_job"),
        ("describe_hyper_parameter_tuning_job", "tuning_job"),
    ],
)
def test_an_unknown_job_is_none(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str, error: tuple[str, str]
) -> None:
    stub.add_client_error(operation, *error)

    assert getattr(jobs, method)(RUN_ID) is None


@pytest.mark.parametrize(("code", "message"), UNKNOWN)
def test_an_unknown_trial_is_not_found(stub: Stubber, jobs: SageMakerJobs, code: str, message: str) -> None:
    stub.add_client_error("describe_training_job", code, message)

    with pytest.raises(NotFound):
        jobs.trial("x")


@pytest.mark.parametrize(
    "error",
    [("ThrottlingException", "Rate exceeded"), ("ValidationException", "1 validation error detected")],
)
@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("describe_processing_job", "prepare_job"),
        ("describe_hyper_parameter_tuning_job", "tuning_job"),
        ("describe_training_job", "trial"),
    ],
)
def test_a_job_that_could_not_be_asked_about_is_not_taken_for_unknown(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str, error: tuple[str, str]
) -> None:
    stub.add_client_error(operation, *error)

    with pytest.raises(ClientError):
        getattr(jobs, method)(RUN_ID)


def processing_answer(status: str, **more: Any) -> dict[str, Any]:
    request = REQUESTS.prepare(RUN)
    kept = {name: request[name] for name in ("ProcessingJobName", "ProcessingResources", "AppSpecification")}
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{RUN_ID}-prepare"
    return {**kept, "ProcessingJobArn": arn, "ProcessingJobStatus": status, "CreationTime": BEGAN, **more}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("InProgress", JobStatus.IN_PROGRESS),
        ("Stopping", JobStatus.IN_PROGRESS),
        ("Completed", JobStatus.COMPLETED),
        ("Failed", JobStatus.FAILED),
        ("Stopped", JobStatus.STOPPED),
    ],
)
def test_a_processing_job_is_read_from_its_description(
    stub: Stubber, jobs: SageMakerJobs, said: str, status: JobStatus
) -> None:
    stub.add_response("describe_processing_job", processing_answer(said), {"ProcessingJobName": f"{RUN_ID}-prepare"})

    job = jobs.prepare_job(RUN_ID)

    assert job is not None
    assert (job.status, job.reason, job.seconds) == (status, None, 0.0)


def test_a_processing_job_is_billed_from_start_to_end_and_says_why_it_failed(
    stub: Stubber, jobs: SageMakerJobs
) -> None:
    times = {"ProcessingStartTime": BEGAN, "ProcessingEndTime": ENDED}
    for words in ({"FailureReason": "AlgorithmError: exit code 1", "ExitMessage": "No image is left."}, {}):
        stub.add_response("describe_processing_job", processing_answer("Failed", **times, **words))

    said, unsaid = jobs.evaluation_job(RUN_ID), jobs.evaluation_job(RUN_ID)

    assert said is not None
    assert unsaid is not None
    assert (said.reason, said.seconds, said.ended_at) == ("No image is left.", 90.0, ENDED)
    assert unsaid.reason is None


def test_a_tuning_job_tells_its_best_trial(stub: Stubber, jobs: SageMakerJobs) -> None:
    request = REQUESTS.tuning(RUN)
    training = {
        "TrainingJobName": f"{RUN_ID}-002-0a1b2c3d",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/x",
        "CreationTime": BEGAN,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {},
    }
    stub.add_response(
        "describe_hyper_parameter_tuning_job",
        {
            "HyperParameterTuningJobName": RUN_ID,
            "HyperParameterTuningJobArn": "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/x",
            "HyperParameterTuningJobConfig": request["HyperParameterTuningJobConfig"],
            "HyperParameterTuningJobStatus": "Completed",
            "CreationTime": BEGAN,
            "HyperParameterTuningEndTime": ENDED,
            "TrainingJobStatusCounters": {"Completed": 2},
            "ObjectiveStatusCounters": {"Succeeded": 2},
            "BestTrainingJob": training,
        },
        {"HyperParameterTuningJobName": RUN_ID},
    )

    job = jobs.tuning_job(RUN_ID)

    assert job is not None
    assert (job.status, job.best_trial, job.ended_at) == (JobStatus.COMPLETED, f"{RUN_ID}-002-0a1b2c3d", ENDED)


def training_answer(name: str, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "ModelArtifacts": {"S3ModelArtifacts": MODEL},
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        "CreationTime": BEGAN,
        **more,
    }


def test_a_trial_is_read_without_what_sagemaker_adds_to_it(stub: Stubber, jobs: SageMakerJobs) -> None:
    metrics = [
        {"MetricName": "train_accuracy", "Value": 0.99, "Timestamp": ENDED},
        {"MetricName": "validation_accuracy", "Value": 0.75, "Timestamp": ENDED},
    ]
    answer = training_answer(
        "t",
        TrainingJobStatus="Completed",
        HyperParameters={"epochs": "20", "dropout": "0.5", "_tuning_objective_metric": "validation_accuracy"},
        FinalMetricDataList=metrics,
        BillableTimeInSeconds=88,
        TrainingStartTime=BEGAN,
        TrainingEndTime=ENDED,
    )
    stub.add_response("describe_training_job", answer, {"TrainingJobName": "t"})

    trial = jobs.trial("t")

    assert trial.hyperparameters == {"dropout": "0.5", "epochs": "20"}
    assert (trial.status, trial.objective, trial.billable_seconds) == ("Completed", 0.75, 88)
    assert (trial.started_at, trial.ended_at) == (BEGAN, ENDED)


def test_a_trial_that_has_just_begun_has_no_figures(stub: Stubber, jobs: SageMakerJobs) -> None:
    stub.add_response("describe_training_job", training_answer("t"))

    trial = jobs.trial("t")

    assert (trial.objective, trial.billable_seconds, trial.started_at) == (None, 0, None)


def test_all_trials_of_a_tuning_job_are_read_page_by_page(stub: Stubber, jobs: SageMakerJobs) -> None:
    asked = {"HyperParameterTuningJobName": RUN_ID, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    for page, (names, next_token) in enumerate(((["a", "b"], "more"), (["c"], None))):
        summaries = [
            {
                "TrainingJobName": name,
                "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
                "CreationTime": BEGAN,
                "TrainingJobStatus": "Completed",
                "TunedHyperParameters": {},
            }
            for name in names
        ]
        token = {"NextToken": next_token} if next_token else {}
        stub.add_response(
            "list_training_jobs_for_hyper_parameter_tuning_job",
            {"TrainingJobSummaries": summaries, **token},
            {**asked, **({"NextToken": "more"} if page else {})},
        )
    for name in ("a", "b", "c"):
        stub.add_response("describe_training_job", training_answer(name), {"TrainingJobName": name})

    assert [trial.name for trial in jobs.trials(RUN_ID)] == ["a", "b", "c"]
