"""The jobs on SageMaker. A job's name is its idempotency key: creating it twice leaves one."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..domain import layout
from ..domain.errors import Cause, JobDelayed, NameTaken, NotFound
from ..domain.job import Job, JobStatus
from ..domain.reason import NO_SPOT_INSTANCE, explained
from ..domain.refusal import cause_of, refusal
from ..domain.result import Trial
from ..domain.run import PREFIX, Run
from .sagemaker_requests import JobRequests

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# A page of ten, the default, would make 75 calls of the largest tuning job.
LARGEST_PAGE = 100
ENDED = {status.value: status for status in JobStatus if status is not JobStatus.IN_PROGRESS}

# "Insufficient capacity error from EC2 while launching instances, retrying!"
NO_INSTANCE = "insufficient capacity"


class SageMakerJobs:
    """Implements `ports.Jobs`."""

    def __init__(self, client: "SageMakerClient", requests: JobRequests, prefix: str = PREFIX) -> None:
        self._client = client
        self._requests = requests
        self._prefix = prefix

    @property
    def prefix(self) -> str:
        return self._prefix

    def start_prepare(self, run: Run) -> None:
        self._process("prepare job", self._requests.prepare(run))

    def start_tuning(self, run: Run) -> None:
        self._tune("tuning job", self._requests.tuning(run))

    def start_fine_tuning(self, run: Run, parents: Sequence[str] = ()) -> None:
        self._tune("fine-tuning job", self._requests.fine_tuning(run, parents))

    def start_evaluation(self, run: Run, models: Mapping[str, str], champion_sha256: str | None = None) -> None:
        self._process("evaluate job", self._requests.evaluation(run, models, champion_sha256))

    def prepare_job(self, run_id: str) -> Job | None:
        return self._processing_job(layout.prepare_job(run_id))

    def evaluation_job(self, run_id: str) -> Job | None:
        return self._processing_job(layout.evaluation_job(run_id))

    def tuning_job(self, name: str) -> Job | None:
        try:
            answer = self._client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        except ClientError as error:
            raise_unless_absent(error)
            return None
        definition = answer.get("TrainingJobDefinition", {})
        self._check_owner(name, [definition.get("OutputDataConfig", {}).get("S3OutputPath", "")])
        return Job(
            name,
            ENDED.get(answer["HyperParameterTuningJobStatus"], JobStatus.IN_PROGRESS),
            explained(answer.get("FailureReason")),
            best_trial=answer.get("BestTrainingJob", {}).get("TrainingJobName"),
            ended_at=answer.get("HyperParameterTuningEndTime"),
            created_at=answer["CreationTime"],
            instance_type=answer.get("TrainingJobDefinition", {}).get("ResourceConfig", {}).get("InstanceType"),
        )

    def trial(self, name: str) -> Trial:
        try:
            answer = self._client.describe_training_job(TrainingJobName=name)
        except ClientError as error:
            raise_unless_absent(error)
            raise NotFound(f"There is no training job {name}.") from None
        metrics = {metric["MetricName"]: metric["Value"] for metric in answer.get("FinalMetricDataList", [])}
        return Trial(
            name=name,
            status=answer["TrainingJobStatus"],
            hyperparameters=tuned(answer.get("HyperParameters", {})),
            objective=metrics.get(self._requests.objective),
            billable_seconds=answer.get("BillableTimeInSeconds", 0),
            started_at=answer.get("TrainingStartTime"),
            ended_at=answer.get("TrainingEndTime"),
            reason=explained(answer.get("FailureReason")) or want_of_spot(answer) or wait_for_an_instance(answer),
            stage=layout.stage_of(name),
            model_uri=answer.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        )

    def trials(self, tuning_job: str) -> Sequence[Trial]:
        pages = self._client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=tuning_job,
            SortBy="CreationTime",
            SortOrder="Ascending",
            PaginationConfig={"PageSize": LARGEST_PAGE},
        )
        try:
            return [listed(job) for page in pages for job in page["TrainingJobSummaries"]]
        except ClientError as error:
            raise_unless_absent(error)
            return []

    def stop(self, name: str) -> None:
        try:
            if name.endswith(layout.PROCESSING_JOBS):
                self._client.stop_processing_job(ProcessingJobName=name)
            else:
                self._client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"ValidationException", "ResourceNotFound"}:
                raise

    def _processing_job(self, name: str) -> Job | None:
        try:
            answer = self._client.describe_processing_job(ProcessingJobName=name)
        except ClientError as error:
            raise_unless_absent(error)
            return None
        outputs = answer.get("ProcessingOutputConfig", {}).get("Outputs", [])
        self._check_owner(name, [output.get("S3Output", {}).get("S3Uri", "") for output in outputs])
        status = ENDED.get(answer["ProcessingJobStatus"], JobStatus.IN_PROGRESS)
        start, end = answer.get("ProcessingStartTime"), answer.get("ProcessingEndTime")
        seconds = max((end - start).total_seconds(), 0.0) if start and end else 0.0
        reason = answer.get("ExitMessage") or explained(answer.get("FailureReason"))
        machine = answer.get("ProcessingResources", {}).get("ClusterConfig", {}).get("InstanceType")
        return Job(name, status, reason, seconds, ended_at=end, instance_type=machine)

    def _process(self, kind: str, request: Mapping[str, Any]) -> None:
        if not created(kind, self._client.create_processing_job, request):
            self._check_described(request["ProcessingJobName"], self._processing_job)

    def _tune(self, kind: str, request: Mapping[str, Any]) -> None:
        if not created(kind, self._client.create_hyper_parameter_tuning_job, request):
            self._check_described(request["HyperParameterTuningJobName"], self.tuning_job)

    def _check_described(self, name: str, describe: Callable[[str], Job | None]) -> None:
        """Raises NameTaken if the existing job is not the run's own, JobDelayed if SageMaker does not describe it."""
        if describe(name) is None:
            raise JobDelayed(Cause.SERVICE, f"SageMaker says that a job {name} exists, but does not describe it.")

    def _check_owner(self, name: str, outputs: Sequence[str]) -> None:
        """Raises NameTaken if a job writes to another bucket than its run's."""
        own = f"s3://{self._requests.bucket}/"
        if any(uri and not uri.startswith(own) for uri in outputs):
            raise NameTaken(f"Another stack of this account has a job {name}.")


def listed(job: Mapping[str, Any]) -> Trial:
    """A training job as the list of its tuning job tells of it."""
    name = job["TrainingJobName"]
    return Trial(
        name=name,
        status=job["TrainingJobStatus"],
        hyperparameters=tuned(job["TunedHyperParameters"]),
        objective=job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        started_at=job.get("TrainingStartTime"),
        ended_at=job.get("TrainingEndTime"),
        reason=explained(job.get("FailureReason")),
        stage=layout.stage_of(name),
    )


def created(kind: str, call: Any, request: Mapping[str, Any]) -> bool:
    """Create a job; False if one of that name exists. Raises JobRejected or JobDelayed if SageMaker refuses it."""
    try:
        call(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ResourceInUse":
            return False
        raise refusal(kind, code, error.response["Error"].get("Message", "")) from None
    return True


def raise_unless_absent(error: ClientError) -> None:
    """Raise the error again unless it says that the job does not exist; some calls say so as a ValidationException.

    A missing permission is raised as JobDelayed: it must not hold up a run for ever.
    """
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    unknown = any(words in message.lower() for words in ("not found", "could not find", "does not exist"))
    if code == "ResourceNotFound" or (code == "ValidationException" and unknown):
        return
    if cause_of(code) is Cause.PERMISSION:
        raise JobDelayed(Cause.PERMISSION, f"SageMaker does not say how the run's job is: {message}")
    raise error


def want_of_spot(answer: Mapping[str, Any]) -> str | None:
    """Why a training job stopped that got no spot instance in time; None of all others."""
    return f"{NO_SPOT_INSTANCE}." if answer.get("SecondaryStatus") == "MaxWaitTimeExceeded" else None


def wait_for_an_instance(answer: Mapping[str, Any]) -> str | None:
    """What SageMaker says of a training job that finds no instance for now; None of all others."""
    last = answer.get("SecondaryStatusTransitions", [])[-1:]
    message = next((str(transition.get("StatusMessage", "")) for transition in last), "")
    return message if answer["TrainingJobStatus"] == "InProgress" and NO_INSTANCE in message.lower() else None


def tuned(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """A trial's hyperparameters without the ones that SageMaker adds."""
    return {name: value for name, value in sorted(hyperparameters.items()) if not name.startswith("_")}
