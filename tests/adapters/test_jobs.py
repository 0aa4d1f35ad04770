"""The jobs on SageMaker, with its own answers and errors."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from job_manager.aws.sagemaker import SageMakerJobs
from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.domain.errors import Cause, JobDelayed, JobRejected, NameTaken, NotFound
from job_manager.domain.job import JobStatus
from job_manager.domain.reason import blames_aws
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run
from job_manager.ports import Jobs
from tests.chaos.refusals import REFUSALS
from tests.fakes.world import FULL_PLAN, a_run

ROLE = "arn:aws:iam::123456789012:role/seedbed-training"
REQUESTS = JobRequests("seedbed-123456789012-us-east-1", ROLE)
MODEL = "s3://seedbed-123456789012-us-east-1/runs/sb-0123456789abcdef-1/trials/t/output/model.tar.gz"
HEAD = Trial("sb-0123456789abcdef-1-007-0a1b2c3d", "Completed", {}, 0.9, model_uri=MODEL)
RUN = a_run(plan=FULL_PLAN, best_head=HEAD)
RUN_ID = RUN.run_id
BEGAN, ENDED = datetime(2026, 3, 20, 9, tzinfo=UTC), datetime(2026, 3, 20, 9, 1, 30, tzinfo=UTC)
CREATIONS = {
    "create_processing_job": ("start_prepare", "start_merge", "start_evaluation"),
    "create_training_job": ("start_refit",),
    "create_hyper_parameter_tuning_job": ("start_tuning", "start_fine_tuning"),
}
STARTS = [(operation, start) for operation, starts in CREATIONS.items() for start in starts]
NO_INSTANCE = "Insufficient capacity error from EC2 while launching instances, retrying!"
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


def existing(method: str, requests: JobRequests = REQUESTS) -> dict[str, Any]:
    """SageMaker's description of the job that these requests would create."""
    made: dict[str, Any] = {
        "start_prepare": lambda: requests.prepare(RUN),
        "start_merge": lambda: requests.merge(RUN),
        "start_refit": lambda: requests.refit(RUN),
        "start_evaluation": lambda: requests.evaluation(RUN, {"model": MODEL}),
        "start_tuning": lambda: requests.tuning(RUN),
        "start_fine_tuning": lambda: requests.fine_tuning(RUN),
    }[method]()
    kind = next(name.removesuffix("Name") for name in made if name.endswith("JobName"))
    answered: dict[str, dict[str, Any]] = {
        "HyperParameterTuningJob": {"TrainingJobStatusCounters": {}, "ObjectiveStatusCounters": {}},
        "TrainingJob": {"ModelArtifacts": {"S3ModelArtifacts": MODEL}, "SecondaryStatus": "Training"},
    }
    known = {name: value for name, value in made.items() if name != "Tags"}
    arn = "arn:aws:sagemaker:us-east-1:123456789012:job/x"
    return {**known, f"{kind}Arn": arn, f"{kind}Status": "InProgress", "CreationTime": BEGAN, **answered.get(kind, {})}


def start(jobs: Jobs, method: str, run: Run = RUN) -> None:
    if method == "start_evaluation":
        jobs.start_evaluation(run, {"model": MODEL})
    else:
        getattr(jobs, method)(run)


@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_starting_a_job_that_exists_succeeds(stub: Stubber, jobs: SageMakerJobs, operation: str, method: str) -> None:
    stub.add_client_error(operation, "ResourceInUse", "Job name must be unique.")
    stub.add_response(operation.replace("create", "describe"), existing(method))

    start(jobs, method)


@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_a_job_of_that_name_for_another_bucket_is_not_the_runs_own(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str
) -> None:
    stub.add_client_error(operation, "ResourceInUse", "Job name must be unique.")
    others = JobRequests(f"{REQUESTS.bucket}-2", ROLE)
    stub.add_response(operation.replace("create", "describe"), existing(method, others))

    with pytest.raises(NameTaken, match="Another stack of this account has a job"):
        start(jobs, method)


@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_a_job_that_exists_but_is_not_described_is_waited_for(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str
) -> None:
    stub.add_client_error(operation, "ResourceInUse", "Job name must be unique.")
    stub.add_client_error(operation.replace("create", "describe"), *UNKNOWN[0])

    with pytest.raises(JobDelayed, match="exists, but does not describe it"):
        start(jobs, method)


@pytest.mark.parametrize("error", [("ValidationException", "No such image."), REFUSALS["quota of 0"]])
@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_a_job_that_sagemaker_will_never_accept_is_rejected(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str, error: tuple[str, str]
) -> None:
    stub.add_client_error(operation, *error)

    with pytest.raises(JobRejected, match=r"SageMaker refused the [\w-]+ job: "):
        start(jobs, method)


@pytest.mark.parametrize("name", ["quota used up", "permission", "throttling", "service"])
@pytest.mark.parametrize(("operation", "method"), STARTS)
def test_a_job_that_sagemaker_does_not_accept_now_is_delayed(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str, name: str
) -> None:
    stub.add_client_error(operation, *REFUSALS[name])

    with pytest.raises(JobDelayed, match=r"The [\w-]+ job waits"):
        start(jobs, method)


@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("describe_processing_job", "prepare_job"),
        ("describe_hyper_parameter_tuning_job", "tuning_job"),
        ("describe_training_job", "refit_job"),
        ("describe_training_job", "trial"),
        ("list_training_jobs_for_hyper_parameter_tuning_job", "trials"),
    ],
)
def test_a_missing_permission_to_ask_delays_the_job(
    stub: Stubber, jobs: SageMakerJobs, operation: str, method: str
) -> None:
    stub.add_client_error(operation, *REFUSALS["permission"])

    with pytest.raises(JobDelayed, match="SageMaker does not say how the run's job is") as raised:
        getattr(jobs, method)(RUN_ID)

    assert raised.value.cause is Cause.PERMISSION


@pytest.mark.parametrize("error", UNKNOWN)
@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("describe_processing_job", "prepare_job"),
        ("describe_processing_job", "merge_job"),
        ("describe_processing_job", "evaluation_job"),
        ("describe_training_job", "refit_job"),
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
def test_an_error_of_describe_is_not_taken_for_an_unknown_job(
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
    assert (job.status, job.reason, job.seconds, job.instance_type) == (status, None, 0.0, "ml.m5.xlarge")


def test_a_failed_processing_job_has_its_seconds_and_its_reason(stub: Stubber, jobs: SageMakerJobs) -> None:
    times = {"ProcessingStartTime": BEGAN, "ProcessingEndTime": ENDED}
    for words in ({"FailureReason": "AlgorithmError: exit code 1", "ExitMessage": "No image is left."}, {}):
        stub.add_response("describe_processing_job", processing_answer("Failed", **times, **words))

    said, unsaid = jobs.evaluation_job(RUN_ID), jobs.evaluation_job(RUN_ID)

    assert said is not None
    assert unsaid is not None
    assert (said.reason, said.seconds, said.ended_at) == ("No image is left.", 90.0, ENDED)
    assert unsaid.reason is None


def test_the_seconds_of_several_instances_are_added_up(stub: Stubber, jobs: SageMakerJobs) -> None:
    times = {"ProcessingStartTime": BEGAN, "ProcessingEndTime": ENDED}
    machines = {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 4, "VolumeSizeInGB": 30}}
    stub.add_response("describe_processing_job", processing_answer("Completed", ProcessingResources=machines, **times))

    job = jobs.prepare_job(RUN_ID)

    assert job is not None
    assert job.seconds == 4 * 90.0


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ({"TrainingJobStatus": "InProgress"}, (JobStatus.IN_PROGRESS, None, 0, None)),
        (
            {"TrainingJobStatus": "Completed", "BillableTimeInSeconds": 40, "TrainingEndTime": ENDED},
            (JobStatus.COMPLETED, None, 40, ENDED),
        ),
        (
            {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: NaN"},
            (JobStatus.FAILED, "AlgorithmError: NaN", 0, None),
        ),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
            (JobStatus.STOPPED, "No spot instance was free in time.", 0, None),
        ),
    ],
)
def test_the_training_job_on_all_images_is_read_from_its_description(
    stub: Stubber, jobs: SageMakerJobs, more: dict[str, Any], read: tuple[Any, ...]
) -> None:
    stub.add_response(
        "describe_training_job", {**existing("start_refit"), **more}, {"TrainingJobName": f"{RUN_ID}-refit"}
    )

    job = jobs.refit_job(RUN_ID)

    assert job is not None
    assert (job.status, job.reason, job.seconds, job.ended_at) == read
    assert (job.created_at, job.instance_type) == (BEGAN, "ml.m5.large")


def test_a_job_that_ended_before_it_began_took_no_time(stub: Stubber, jobs: SageMakerJobs) -> None:
    times = {"ProcessingStartTime": ENDED, "ProcessingEndTime": BEGAN}
    stub.add_response("describe_processing_job", processing_answer("Completed", **times))

    job = jobs.prepare_job(RUN_ID)

    assert job is not None
    assert job.seconds == 0.0


def test_a_killed_job_says_what_to_lower(stub: Stubber, jobs: SageMakerJobs) -> None:
    reason = "AlgorithmError: , exit code: 137"
    stub.add_response("describe_processing_job", processing_answer("Failed", FailureReason=reason))

    job = jobs.prepare_job(RUN_ID)

    assert job is not None
    assert job.reason == (
        "AlgorithmError: , exit code: 137. It was killed, most likely because it ran out of memory: lower "
        "ImageSize, CachedViews or, where jobs share a machine, ParallelTrials, or choose a larger instance type."
    )


def test_a_tuning_job_has_its_best_trial(stub: Stubber, jobs: SageMakerJobs) -> None:
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
            "TrainingJobDefinition": request["TrainingJobDefinition"],
        },
        {"HyperParameterTuningJobName": RUN_ID},
    )

    job = jobs.tuning_job(RUN_ID)

    assert job is not None
    assert (job.status, job.best_trial) == (JobStatus.COMPLETED, f"{RUN_ID}-002-0a1b2c3d")
    assert (job.created_at, job.ended_at, job.instance_type) == (BEGAN, ENDED, "ml.m5.large")


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


def test_a_trial_is_read_without_sagemakers_own_hyperparameters(stub: Stubber, jobs: SageMakerJobs) -> None:
    metrics = [
        {"MetricName": "train_accuracy", "Value": 0.99, "Timestamp": ENDED},
        {"MetricName": "validation_accuracy", "Value": 0.75, "Timestamp": ENDED},
    ]
    answer = training_answer(
        "t",
        TrainingJobStatus="Completed",
        HyperParameters={
            "epochs": "20",
            "dropout": "0.5",
            "_tuning_objective_metric": "validation_accuracy",
            "varied": "{}",
        },
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
    assert trial.model_uri == MODEL


@pytest.mark.parametrize(
    ("name", "stage"), [(f"{RUN_ID}-007-0a1b2c3d", "tune"), (f"{RUN_ID}-fine-002-0a1b2c3d", "fine-tune")]
)
def test_a_trial_has_its_stage(stub: Stubber, jobs: SageMakerJobs, name: str, stage: str) -> None:
    stub.add_response("describe_training_job", training_answer(name))

    assert jobs.trial(name).stage == stage


def test_a_trial_that_got_no_spot_instance_says_so(stub: Stubber, jobs: SageMakerJobs) -> None:
    answer = training_answer("t", TrainingJobStatus="Stopped", SecondaryStatus="MaxWaitTimeExceeded")
    stub.add_response("describe_training_job", answer)

    assert blames_aws(jobs.trial("t").reason)


def test_a_trial_that_has_just_begun_has_no_metrics(stub: Stubber, jobs: SageMakerJobs) -> None:
    stub.add_response("describe_training_job", training_answer("t"))

    trial = jobs.trial("t")

    assert (trial.objective, trial.billable_seconds, trial.started_at) == (None, 0, None)


@pytest.mark.parametrize(
    ("status", "messages", "reason"),
    [
        ("InProgress", [NO_INSTANCE], NO_INSTANCE),
        ("InProgress", [NO_INSTANCE, "Downloading the training image"], None),
        ("InProgress", [None], None),
        ("InProgress", [], None),
        ("Stopped", [NO_INSTANCE], None),
    ],
)
def test_a_trial_without_an_instance_says_so(
    stub: Stubber, jobs: SageMakerJobs, status: str, messages: list[str | None], reason: str | None
) -> None:
    passed = [
        {"Status": "Starting", "StartTime": BEGAN, **({"StatusMessage": text} if text else {})} for text in messages
    ]
    answer = training_answer("t", TrainingJobStatus=status, SecondaryStatusTransitions=passed)
    stub.add_response("describe_training_job", answer)

    assert jobs.trial("t").reason == reason


def summary(name: str, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "CreationTime": BEGAN,
        "TrainingJobStatus": "InProgress",
        "TunedHyperParameters": {},
        **more,
    }


def test_all_trials_of_a_tuning_job_are_listed_by_the_hundred_and_none_is_described(
    stub: Stubber, jobs: SageMakerJobs
) -> None:
    asked = {
        "HyperParameterTuningJobName": RUN_ID,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "MaxResults": 100,
    }
    first = {"TrainingJobSummaries": [summary("a"), summary("b")], "NextToken": "more"}
    operation = "list_training_jobs_for_hyper_parameter_tuning_job"
    stub.add_response(operation, first, asked)
    stub.add_response(operation, {"TrainingJobSummaries": [summary("c")]}, {**asked, "NextToken": "more"})

    assert [trial.name for trial in jobs.trials(RUN_ID)] == ["a", "b", "c"]


def test_a_listed_trial_has_what_the_list_tells(stub: Stubber, jobs: SageMakerJobs) -> None:
    name = f"{RUN_ID}-fine-002-0a1b2c3d"
    job = summary(
        name,
        TrainingJobStatus="Stopped",
        TunedHyperParameters={"dropout": "0.5"},
        FinalHyperParameterTuningJobObjectiveMetric={"MetricName": "validation_accuracy", "Value": 0.75},
        FailureReason="MaxRuntimeExceeded",
        TrainingStartTime=BEGAN,
        TrainingEndTime=ENDED,
    )
    stub.add_response("list_training_jobs_for_hyper_parameter_tuning_job", {"TrainingJobSummaries": [job]})

    assert list(jobs.trials(RUN_ID)) == [
        Trial(name, "Stopped", {"dropout": "0.5"}, 0.75, 0, BEGAN, ENDED, "MaxRuntimeExceeded", "fine-tune")
    ]


def test_a_tuning_job_that_does_not_exist_has_no_trials(stub: Stubber, jobs: SageMakerJobs) -> None:
    stub.add_client_error("list_training_jobs_for_hyper_parameter_tuning_job", "ResourceNotFound", "Could not find it.")

    assert jobs.trials(RUN_ID) == []


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        (f"{RUN_ID}-prepare", "stop_processing_job"),
        (f"{RUN_ID}-merge", "stop_processing_job"),
        (f"{RUN_ID}-evaluate", "stop_processing_job"),
        (f"{RUN_ID}-refit", "stop_training_job"),
        (RUN_ID, "stop_hyper_parameter_tuning_job"),
        (f"{RUN_ID}-fine", "stop_hyper_parameter_tuning_job"),
    ],
)
@pytest.mark.parametrize("code", [None, "ValidationException", "ResourceNotFound"])
def test_stop_of_an_ended_or_unknown_job_is_not_an_error(
    stub: Stubber, jobs: SageMakerJobs, name: str, operation: str, code: str | None
) -> None:
    if code:
        stub.add_client_error(operation, code, "It is in status Completed.")
    else:
        kinds = {"processing": "ProcessingJobName", "training": "TrainingJobName"}
        kind = kinds.get(operation.split("_")[1], "HyperParameterTuningJobName")
        stub.add_response(operation, {}, {kind: name})

    jobs.stop(name)

    stub.assert_no_pending_responses()


def test_a_stop_that_was_throttled_is_raised_for_a_retry(stub: Stubber, jobs: SageMakerJobs) -> None:
    stub.add_client_error("stop_processing_job", "ThrottlingException", "Later.")

    with pytest.raises(ClientError):
        jobs.stop(f"{RUN_ID}-prepare")
