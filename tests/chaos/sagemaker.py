"""SageMaker in memory: any processing, tuning or training job by name, what it reads and writes, and how it may end."""

# ruff: noqa: N803 (AWS names its parameters)
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.chaos.storage import MemoryStorage

Request = dict[str, Any]
SETTINGS = {"learning_rate": "0.003", "_tuning_objective_metric": "validation_accuracy"}
USUAL = timedelta(seconds=100)
PAGE = 1


class Fate(StrEnum):
    """How a job ends."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    GARBLED = "completed, but its output can't be read"
    OTHER_TRAINER = "fails since the trainer was changed"
    NO_CAPACITY = "fails for want of an instance"
    HANGING = "hangs until its time limit"


STATUS = {Fate.GARBLED: "Completed", Fate.OTHER_TRAINER: "Failed", Fate.NO_CAPACITY: "Failed"}
NO_CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."
UNKNOWN_IMAGE = (
    "ClientError: API error (404): manifest for {image} not found: manifest unknown: Requested image not found"
)
OTHER_TRAINER = "The pack was made by another version of the trainer: the run has to begin again."

REASONS = {Fate.OTHER_TRAINER: OTHER_TRAINER, Fate.NO_CAPACITY: NO_CAPACITY}


@dataclass
class TrainingJob:
    """A trial of a tuning job, or a training job's own."""

    name: str
    started_at: datetime
    model: str
    status: str = "InProgress"
    objective: float | None = None
    ended_at: datetime | None = None


@dataclass
class SimulatedJob:
    """A processing, tuning or training job; `fate` is how it will end, `quality` how good its models will be."""

    name: str
    request: Request
    started_at: datetime
    fate: Fate
    quality: float
    status: str = "InProgress"
    reason: str | None = None
    ended_at: datetime | None = None
    trials: list[TrainingJob] = field(default_factory=list)

    @property
    def tunes(self) -> bool:
        return "HyperParameterTuningJobName" in self.request

    @property
    def trains(self) -> bool:
        return "TrainingJobName" in self.request

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself."""
        return self.started_at + (timedelta(seconds=self.time_limit) if self.fate is Fate.HANGING else USUAL)

    @property
    def time_limit(self) -> int:
        if self.tunes:
            return int(self.request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxRuntimeInSeconds"])
        return int(self.request["StoppingCondition"]["MaxRuntimeInSeconds"])


class Account:
    """What SageMaker knows in one account and region: every job ever started, and who is told of those that end."""

    def __init__(self) -> None:
        self.jobs: dict[str, SimulatedJob] = {}
        self.told: list[Callable[[SimulatedJob], None]] = []

    def ended(self, job: SimulatedJob) -> None:
        """Tell every stack."""
        for told in self.told:
            told(job)


class MemorySageMaker:
    """A SageMaker client of one stack of the account; `begun` is told of its jobs, `jobs` are those that it started.

    `rejected` are names that it will never accept.
    While there is a `refusal`, an error code and its message, it creates no job; if it `refuses_warm_starts`, none with
    parents. A processing job fails whose image is `unpushed`. `lacking` are the refusals of single instance types.
    """

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, now: Callable[[], datetime], storage: MemoryStorage, account: Account | None = None) -> None:
        self.account = account or Account()
        self.jobs: dict[str, SimulatedJob] = {}
        self.fates: list[tuple[Fate, float]] = []
        self.rejecting = False
        self.rejected: set[str] = set()
        self.refusal: tuple[str, str] | None = None
        self.refuses_warm_starts = False
        self.lacking: dict[str, tuple[str, str]] = {}
        self.unpushed: set[str] = set()
        self._prepared: dict[str, Request] = {}
        self.begun: Callable[[SimulatedJob], None]
        self._now = now
        self._storage = storage

    def create_processing_job(self, **request: Any) -> Request:
        """Start a processing job."""
        self._create("CreateProcessingJob", request["ProcessingJobName"], request)
        return {"ProcessingJobArn": "arn"}

    def create_hyper_parameter_tuning_job(self, **request: Any) -> Request:
        """Start a tuning job, and its trials with it."""
        if "WarmStartConfig" in request and self.refuses_warm_starts:
            raise refused("CreateHyperParameterTuningJob", "ValidationException", "The hyperparameters differ.")
        for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
            if self._find("CreateHyperParameterTuningJob", parent["HyperParameterTuningJobName"]).is_running:
                raise refused("CreateHyperParameterTuningJob", "ValidationException", "A parent goes on.")
        job = self._create("CreateHyperParameterTuningJob", request["HyperParameterTuningJobName"], request)
        count = request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
        names = (f"{job.name}-{number:03}-0a1b2c3d" for number in range(1, count + 1))
        target = key_in(request["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"])
        job.trials = [TrainingJob(name, self._now(), f"{target}{name}/model-of-it.tar.gz") for name in names]
        return {"HyperParameterTuningJobArn": "arn"}

    def create_training_job(self, **request: Any) -> Request:
        """Start a training job."""
        name = request["TrainingJobName"]
        job = self._create("CreateTrainingJob", name, request)
        target = key_in(request["OutputDataConfig"]["S3OutputPath"])
        job.trials = [TrainingJob(name, self._now(), f"{target}{name}/model-of-it.tar.gz")]
        return {"TrainingJobArn": "arn"}

    def describe_processing_job(self, ProcessingJobName: str) -> Request:
        """A processing job."""
        job = self._find("DescribeProcessingJob", ProcessingJobName)
        answer: Request = {"ProcessingJobStatus": job.status, "ProcessingStartTime": job.started_at}
        answer["ProcessingOutputConfig"] = job.request["ProcessingOutputConfig"]
        answer["ProcessingResources"] = job.request["ProcessingResources"]
        return {**answer, **known(ProcessingEndTime=job.ended_at, FailureReason=job.reason)}

    def describe_hyper_parameter_tuning_job(self, HyperParameterTuningJobName: str) -> Request:
        """A tuning job and its best trial."""
        job = self._find("DescribeHyperParameterTuningJob", HyperParameterTuningJobName)
        scored = [trial for trial in job.trials if trial.objective is not None]
        best = max(scored, key=lambda trial: trial.objective or 0.0, default=None)
        answer: Request = {"HyperParameterTuningJobStatus": job.status, "CreationTime": job.started_at}
        answer["TrainingJobDefinition"] = job.request["TrainingJobDefinition"]
        named = {"TrainingJobName": best.name} if best else None
        ends = known(HyperParameterTuningEndTime=job.ended_at, FailureReason=job.reason)
        return {**answer, **ends, **known(BestTrainingJob=named)}

    def describe_training_job(self, TrainingJobName: str) -> Request:
        """A trial, or a training job."""
        jobs = self.account.jobs.values()
        found = [(job, trial) for job in jobs for trial in job.trials if trial.name == TrainingJobName]
        if not found:
            raise refused("DescribeTrainingJob", "ValidationException", "Requested resource not found.")
        ((job, trial),) = found
        metrics = [{"MetricName": "validation_accuracy", "Value": trial.objective}] if trial.objective else []
        answer = {"TrainingJobStatus": trial.status, "HyperParameters": SETTINGS, "TrainingStartTime": trial.started_at}
        answer["ModelArtifacts"] = {"S3ModelArtifacts": f"s3://{self._storage.name}/{trial.model}"}
        if job.trains:
            answer["OutputDataConfig"] = job.request["OutputDataConfig"]
        told = known(TrainingEndTime=trial.ended_at, FailureReason=job.reason if job.trains else None)
        return {**answer, "CreationTime": job.started_at, "FinalMetricDataList": metrics, **told}

    def list_training_jobs_for_hyper_parameter_tuning_job(
        self,
        HyperParameterTuningJobName: str,
        NextToken: int = 0,
        **_: Any,
    ) -> Request:
        """One page of a tuning job's trials."""
        trials = self._find("ListTrainingJobs", HyperParameterTuningJobName).trials
        page = {"TrainingJobSummaries": [listed(trial) for trial in trials[NextToken : NextToken + PAGE]]}
        return {**page, "NextToken": NextToken + PAGE} if len(trials) > NextToken + PAGE else page

    def stop_processing_job(self, ProcessingJobName: str) -> Request:
        """Ask for a processing job's end."""
        return self._stop("StopProcessingJob", ProcessingJobName)

    def stop_hyper_parameter_tuning_job(self, HyperParameterTuningJobName: str) -> Request:
        """Ask for a tuning job's end."""
        return self._stop("StopHyperParameterTuningJob", HyperParameterTuningJobName)

    def stop_training_job(self, TrainingJobName: str) -> Request:
        """Ask for a training job's end."""
        return self._stop("StopTrainingJob", TrainingJobName)

    def running_jobs(self) -> list[SimulatedJob]:
        """The jobs that did not end yet."""
        return [job for job in self.jobs.values() if job.is_running]

    def stop(self, job: SimulatedJob) -> None:
        """What a person does in the console, or the manager for one: it takes a while."""
        job.status, job.fate = "Stopping", Fate.STOPPED

    def end(self, job: SimulatedJob) -> None:
        """Let a job meet its fate now."""
        fate = Fate.STOPPED if job.fate is Fate.HANGING else job.fate
        if fate in {Fate.COMPLETED, Fate.GARBLED} and not self._inputs_are_there(job):
            fate = Fate.FAILED
        job.reason = None
        job.status = STATUS.get(fate, fate.value)
        image = job.request.get("AppSpecification", {}).get("ImageUri")
        if image in self.unpushed:
            job.status, job.reason = "Failed", UNKNOWN_IMAGE.format(image=image)
        elif fate in REASONS:
            job.reason = REASONS[fate]
        elif job.status != "Completed":
            job.reason = f"The job {job.status.lower()}."
        job.ended_at = self._now()
        if job.trials:
            self._end_trials(job, fate)
        elif job.status == "Completed":
            self._write_output(job, garbled=fate is Fate.GARBLED)
        self.account.ended(job)

    def _create(self, operation: str, name: str, request: Request) -> SimulatedJob:
        if name in self.account.jobs:
            raise refused(operation, "ResourceInUse", f"{name} already exists.")
        if self.rejecting:
            self.rejected.add(name)
        if name in self.rejected:
            raise refused(operation, "ValidationException", "The request is invalid.")
        refusal = self.refusal or self.lacking.get(machine_of(request))
        if refusal:
            raise refused(operation, *refusal)
        fate, quality = self.fates.pop(0) if self.fates else (Fate.COMPLETED, 0.7)
        self.jobs[name] = self.account.jobs[name] = SimulatedJob(name, request, self._now(), fate, quality)
        self.begun(self.jobs[name])
        return self.jobs[name]

    def _stop(self, operation: str, name: str) -> Request:
        job = self._find(operation, name)
        if not job.is_running:
            raise refused(operation, "ValidationException", f"{name} is in status {job.status}.")
        self.stop(job)
        return {}

    def _find(self, operation: str, name: str) -> SimulatedJob:
        if name not in self.account.jobs:
            code = "ResourceNotFound" if "Tuning" in operation else "ValidationException"
            raise refused(operation, code, f"Could not find requested job {name}.")
        return self.account.jobs[name]

    def _inputs_are_there(self, job: SimulatedJob) -> bool:
        return all(any(key.startswith(place) for key in self._storage.contents) for place in places_read(job)) and all(
            key in self._storage.contents for key in self._images(job)
        )

    def _images(self, job: SimulatedJob) -> list[str]:
        sources = [given["S3Input"] for given in job.request.get("ProcessingInputs", [])]
        keys: list[str] = []
        for source in sources:
            if source["S3DataType"] == "ManifestFile":
                prefix, *names = json.loads(self._storage.contents[key_in(source["S3Uri"])])
                keys += [key_in(prefix["prefix"]) + name for name in names]
        return keys

    def _end_trials(self, job: SimulatedJob, fate: Fate) -> None:
        """Each trial is a bit worse than the one before; of a garbled job none completes."""
        for number, trial in enumerate(job.trials):
            trial.ended_at = self._now()
            trial.status = "Failed" if fate in STATUS else fate.value
            if fate is Fate.COMPLETED or (fate is Fate.STOPPED and number == 0):
                trial.objective = round(job.quality - 0.05 * number, 2)
                self._storage.put(trial.model, str(trial.objective).encode())

    def _write_output(self, job: SimulatedJob, *, garbled: bool) -> None:
        target = key_in(job.request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])
        verb = job.request["AppSpecification"]["ContainerArguments"][0]
        if cluster_of(job.request)["InstanceCount"] > 1:
            self._storage.put(f"{target}/parts/algo-1.json", b"{not JSON" if garbled else b"{}")
            self._prepared[job.name] = self._report(job)
            return
        write = {"prepare": self._pack, "merge": self._merged_pack, "evaluate": self._scores}[verb]
        name, content = write(job, target)
        self._storage.put(f"{target}/{name}", b"{not JSON" if garbled else json.dumps(content).encode())

    def _merged_pack(self, job: SimulatedJob, target: str) -> tuple[str, Request]:
        """The pack of the images that prepare read, though some may have been deleted since."""
        return self._complete_pack(target, self._prepared[job.name.replace("-merge", "-prepare")])

    def _pack(self, job: SimulatedJob, target: str) -> tuple[str, Request]:
        return self._complete_pack(target, self._report(job))

    def _complete_pack(self, target: str, report: Request) -> tuple[str, Request]:
        for folder in ("features", "training", "validation", "test"):
            self._storage.put(f"{target}/{folder}/pack.json", b"{}")
        return "report.json", report

    def _report(self, job: SimulatedJob) -> Request:
        bodies: dict[bytes, str] = {}
        duplicates = []
        keys = self._images(job)
        for key in keys:
            same = bodies.setdefault(self._storage.contents[key], key)
            if same != key:
                duplicates.append({"file": key.removeprefix("seedlings/"), "reason": f"the same image as {same}"})
        labels = Counter(key.split("/")[1] for key in bodies.values())
        splits = {label: {"train": count, "validation": 0, "test": 0} for label, count in labels.items()}
        return {"images": len(keys), "used": len(bodies), "duplicates": duplicates, "labels": splits}

    def _scores(self, job: SimulatedJob, target: str) -> tuple[str, Request]:
        """A model's quality is all that its file holds, so whoever is scored gets what it deserves."""
        models = {
            given["InputName"]: self._storage.contents[key_in(given["S3Input"]["S3Uri"])]
            for given in job.request["ProcessingInputs"]
            if given["InputName"] in {"model", "champion"}
        }
        self._storage.put(f"{target}/model.tar.gz", models["model"])
        scores = {name: score(float(body)) for name, body in models.items()}
        *_, option, recorded = job.request["AppSpecification"]["ContainerArguments"]
        if option == "--champion-sha256" and recorded != digest(models["champion"]):
            scores["champion"] = {"error": "not the file that was recorded"}
        sha256 = digest(models["model"])
        return "evaluation.json", {**scores["model"], "champion": scores.get("champion"), "model_sha256": sha256}


def listed(trial: TrainingJob) -> Request:
    """A trial as its tuning job's list tells of it."""
    objective = trial.objective and {"MetricName": "validation_accuracy", "Value": trial.objective}
    summary = {"TrainingJobName": trial.name, "TrainingJobStatus": trial.status, "TunedHyperParameters": SETTINGS}
    times = known(TrainingStartTime=trial.started_at, TrainingEndTime=trial.ended_at)
    return {**summary, **times, **known(FinalHyperParameterTuningJobObjectiveMetric=objective)}


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def score(quality: float) -> Request:
    return {"images": 20, "accuracy": quality, "accuracy_interval": [0.5, 1.0], "macro_f1": quality}


def places_read(job: SimulatedJob) -> list[str]:
    """The keys, or beginnings of keys, that a job's inputs are at."""
    sources = [given["S3Input"] for given in job.request.get("ProcessingInputs", [])]
    channels = job.request.get("TrainingJobDefinition", job.request).get("InputDataConfig", [])
    sources += [channel["DataSource"]["S3DataSource"] for channel in channels]
    return [key_in(source["S3Uri"]) for source in sources]


def machine_of(request: Request) -> str:
    """The instance type that a job asks for."""
    return str(cluster_of(request)["InstanceType"])


def cluster_of(request: Request) -> Request:
    """The instances that a job asks for."""
    training = request.get("TrainingJobDefinition", request).get("ResourceConfig")
    cluster: Request = training or request["ProcessingResources"]["ClusterConfig"]
    return cluster


def key_in(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[2]


def known(**facts: object) -> Request:
    """The facts that there are."""
    return {name: fact for name, fact in facts.items() if fact is not None}


def refused(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
