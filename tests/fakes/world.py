"""The job manager with everything around it in memory, and people and SageMaker acting on it."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from job_manager.aws.http import json_of
from job_manager.domain import layout
from job_manager.domain.job import JobStatus
from job_manager.domain.plan import FineTuning, Machine, Plan
from job_manager.domain.results.trial import Trial
from job_manager.domain.run import Run, RunState
from job_manager.domain.settling import SettleRule
from job_manager.steps.advance_run import advance_run
from job_manager.steps.note_upload import note_upload
from job_manager.steps.start_run import start_run
from tests.fakes.bucket import MemoryBucket
from tests.fakes.jobs import MemoryJobs
from tests.fakes.neighbours import MemoryAnnouncer, MemoryClock, MemoryLogs, MemoryMetrics, MemoryTimer
from tests.fakes.runs import MemoryRuns

LABELS = ("Common wheat", "Maize")
MODEL_SHA256 = hashlib.sha256(b"a model").hexdigest()

PLAN = Plan(
    training_image="123456789012.dkr.ecr.us-east-1.amazonaws.com/seedbed-trainer:latest",
    trials=4,
    parallel_trials=2,
    strategy="Bayesian",
    image_size=96,
    views=2,
    minimum_images=8,
    minimum_per_label=4,
    training=Machine("ml.m5.large", 0.1),
    processing=Machine("ml.m5.xlarge", 0.2),
    trial_time_limit=900,
    tuning_time_limit=7200,
    processing_time_limit=3600,
    budget=10.0,
)

FULL_PLAN = replace(
    PLAN,
    fine_tuning=FineTuning(
        trials=2,
        parallel_trials=2,
        epochs=3,
        image_size=64,
        machine=Machine("ml.c5.2xlarge", 0.4),
        trial_time_limit=1800,
    ),
    evaluation_views=8,
    exports=("litert", "onnx"),
    changed_images=40,
)

RULE = SettleRule(quiet=timedelta(minutes=2), maximum_wait=timedelta(minutes=30))


class World:
    """Implements `ports.Ports`."""

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self.bucket = MemoryBucket()
        self.runs = MemoryRuns()
        self.jobs = MemoryJobs(self.clock)
        self.logs = MemoryLogs()
        self.timer = MemoryTimer(self.clock)
        self.announcer = MemoryAnnouncer()
        self.metrics = MemoryMetrics()
        self.plan = PLAN
        self.rule = RULE

    def upload(self, *keys: str) -> None:
        """A person uploads these, and S3's events arrive."""
        for key in keys:
            self.bucket.put(key, f"the image at {key}".encode())
        note_upload(self, self.rule)

    def upload_dataset(self, images: int = 12, batch: str = "plot") -> None:
        """A person uploads enough images for a run, spread over the labels."""
        self.upload(*(f"seedlings/{LABELS[i % len(LABELS)]}/{batch}-{i}.png" for i in range(images)))

    def wake(self) -> Run | None:
        """Time passes until the earliest wake-up reaches start_run."""
        at, seen = self.timer.take_next()
        self.clock.time = max(self.clock.time, at)
        return start_run(seen, self, self.plan, self.rule)

    def settle(self) -> list[Run]:
        """Time passes until no wake-up is left; the runs that started or were refused."""
        started = []
        while self.timer.wakes:
            run = self.wake()
            if run:
                started.append(run)
        return started

    def start(self) -> Run:
        """A dataset is uploaded and its run starts."""
        self.upload_dataset()
        (run,) = self.settle()
        return run

    def advance(self, run_id: str) -> Run:
        """A SageMaker event about the run arrives."""
        return advance_run(run_id, self, self.rule)

    def end_prepare(self, run_id: str, **report: Any) -> Run:
        """Prepare completes after a minute, and its event arrives."""
        self.put_report(run_id, **report)
        return self.advance(run_id)

    def put_report(self, run_id: str, **report: Any) -> None:
        """Prepare completes after a minute, and its event is lost."""
        split = {"train": 4, "validation": 1, "test": 1}
        content = {"images": 12, "used": 12, "labels": dict.fromkeys(LABELS, split), **report}
        self.bucket.put(layout.dataset_report(run_id), msgspec.json.encode(content))
        self.jobs.end(layout.prepare_job(run_id), seconds=60)

    def end_merge(self, run_id: str) -> Run:
        """Merge completes after ten seconds, and its event arrives."""
        self.jobs.end(layout.merge_job(run_id), seconds=10)
        return self.advance(run_id)

    def run_trials(self, tuning_job: str, *accuracies: float | None) -> None:
        """Training jobs end with these validation accuracies, None for one that failed, after 100 s each."""
        for number, accuracy in enumerate(accuracies, start=1):
            status = "Failed" if accuracy is None else "Completed"
            name = f"{tuning_job}-{number:03}-0a1b2c3d"
            trial = Trial(name, status, {"learning_rate": "0.003"}, accuracy, 100, stage=layout.stage_of(name))
            self.jobs.add_trial(tuning_job, trial)

    def end_tuning(self, run_id: str, *accuracies: float | None) -> Run:
        """The tuning job completes with these trials, and its event arrives."""
        self.run_trials(run_id, *(accuracies or (0.7, 0.9, 0.8)))
        self.jobs.end(run_id)
        return self.advance(run_id)

    def end_refit(self, run_id: str, status: JobStatus = JobStatus.COMPLETED, **of_the_trial: Any) -> Run:
        """The training job on all images ends after 300 s, accurate if it completed, and its event arrives."""
        name = layout.refit_job(run_id)
        objective = 0.93 if status is JobStatus.COMPLETED else None
        trial = Trial(name, status.value, {"learning_rate": "0.003"}, objective, 300, stage="refit")
        self.jobs.add_trial(name, replace(trial, **of_the_trial))
        self.jobs.end(name, status, of_the_trial.get("reason") or "", seconds=300)
        return self.advance(run_id)

    def end_fine_tuning(
        self, run_id: str, *accuracies: float | None, status: JobStatus = JobStatus.COMPLETED, reason: str = ""
    ) -> Run:
        """The fine-tuning job ends with these trials, and its event arrives."""
        job = layout.fine_tuning_job(run_id)
        self.run_trials(job, *accuracies)
        self.jobs.end(job, status, reason)
        return self.advance(run_id)

    def end_evaluation(self, run_id: str, accuracy: float = 0.9, champion: Any = None, **more: Any) -> Run:
        """Evaluate completes after another minute, and its event arrives; `champion` is its accuracy."""
        scores = {"images": 20, "accuracy": accuracy, "accuracy_interval": [0.7, 0.97], "macro_f1": accuracy}
        more = {"validation_accuracy": 0.92, **more}
        met = None if champion is None else {**scores, "accuracy": champion, "macro_f1": champion}
        self.bucket.put(layout.model(run_id), b"a model")
        evaluation = {**scores, "champion": met, "model_sha256": MODEL_SHA256, **more}
        self.bucket.put(layout.scores(run_id), msgspec.json.encode(evaluation))
        self.jobs.end(layout.evaluation_job(run_id), seconds=60)
        return self.advance(run_id)

    def complete(self, run_id: str, accuracy: float = 0.9, champion: float | None = None) -> Run:
        """The run goes through all stages."""
        self.end_prepare(run_id)
        if self.end_tuning(run_id).state is RunState.FINE_TUNING:
            self.end_fine_tuning(run_id, 0.94, 0.95)
        return self.end_evaluation(run_id, accuracy, champion)

    def fail(self, job: str, reason: str = "", status: JobStatus = JobStatus.FAILED) -> None:
        """A job ends without success."""
        self.jobs.end(job, status, reason, seconds=30)


def a_run(run_id: str = "sb-0123456789abcdef-1", state: RunState = RunState.PREPARING, **changes: Any) -> Run:
    """A run that is in no table."""
    return replace(Run(run_id, PLAN, MemoryClock().now(), state), **changes)


def answered(answer: object) -> dict[str, Any]:
    """An answer of the API, as a client reads it."""
    content: dict[str, Any] = json.loads(json_of(answer))
    return content
