"""The jobs on SageMaker. A job's name is its idempotency key: creating it twice leaves one."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ..domain import layout
from ..domain.errors import Cause, JobDelayed, NameTaken, NotFound
from ..domain.job import Job, JobStatus
from ..domain.reason import explained
from ..domain.refusal import cause_of, refusal
from ..domain.results.trial import Trial
from ..domain.run import PREFIX, Run
from .sagemaker_answers import listed, reason_of, tuned
from .sagemaker_requests import JobRequests

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# A page of ten, the default, would make 75 calls of the largest tuning job.
LARGEST_PAGE = 100
ENDED = {status.value: status for status in JobStatus if status is not JobStatus.IN_PROGRESS}


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

    def start_merge(self, run: Run) -> None:
        self._process("merge job", self._requests.merge(run))

    def start_tuning(self, run: Run) -> None:
        self._tune("tuning job", self._requests.tuning(run))

    def start_refit(self, run: Run) -> None:
        request = self._requests.refit(run)
        if not created("refit job", self._client.create_training_job, request):
            self._check_described(request["TrainingJobName"], self._training_job)

    def start_fine_tuning(self, run: Run, parents: Sequence[str] = ()) -> None:
        self._tune("fine-tuning job", self._requests.fine_tuning(run, parents))

    def start_evaluation(self, run: Run, models: Mapping[str, str], champion_sha256: str | None = None) -> None:
        self._process("evaluate job", self._requests.evaluation(run, models, champion_sha256))

    def prepare_job(self, run_id: str) -> Job | None:
        return self._processing_job(layout.prepare_job(run_id))

    def merge_job(self, run_id: str) -> Job | None:
        return self._processing_job(layout.merge_job(run_id))

    def refit_job(self, run_id: str) -> Job | None:
        return self._training_job(layout.refit_job(run_id))

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
            reason=reason_of(answer),
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
            elif layout.is_refit(name):
                self._client.stop_training_job(TrainingJobName=name)
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
        cluster = answer.get("ProcessingResources", {}).get("ClusterConfig", {})
        seconds = max((end - start).total_seconds(), 0.0) * cluster.get("InstanceCount", 1) if start and end else 0.0
        reason = answer.get("ExitMessage") or explained(answer.get("FailureReason"))
        return Job(name, status, reason, seconds, ended_at=end, instance_type=cluster.get("InstanceType"))

    def _training_job(self, name: str) -> Job | None:
        try:
            answer = self._client.describe_training_job(TrainingJobName=name)
        except ClientError as error:
            raise_unless_absent(error)
            return None
        self._check_owner(name, [answer.get("OutputDataConfig", {}).get("S3OutputPath", "")])
        return Job(
            name,
            ENDED.get(answer["TrainingJobStatus"], JobStatus.IN_PROGRESS),
            reason_of(answer),
            answer.get("BillableTimeInSeconds", 0),
            ended_at=answer.get("TrainingEndTime"),
            created_at=answer.get("CreationTime"),
            instance_type=answer.get("ResourceConfig", {}).get("InstanceType"),
        )

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
