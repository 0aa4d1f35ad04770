"""How far fine-tuning is, read from SageMaker and the trials' logs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from job_manager.aws.sagemaker_requests import JobRequests
from job_manager.domain.results.trial import Trial
from seedbed.stack import Stack
from seedbed.watch.jobs import LINES, TRAINING_LOGS, fine_tuning_progress, tuning_progress
from seedbed.watch.stage import StageProgress
from tests.fakes.world import FULL_PLAN, a_run

NAME = "sb-0123456789abcdef-1-fine"
REQUESTS = JobRequests("bucket", "arn:aws:iam::123456789012:role/seedbed-training")
BEGAN = datetime(2026, 3, 20, 9, tzinfo=UTC)
HEAD = Trial("sb-0123456789abcdef-1-001-0a1b2c3d", "Completed", {}, 0.9, model_uri="s3://bucket/head")
RUN = a_run(plan=FULL_PLAN, best_head=HEAD)


class Watched:
    """A stack whose SageMaker and logs give prepared answers."""

    def __init__(self) -> None:
        self.sagemaker, self.logs = (Stubber(boto3.client(name, "us-east-1")) for name in ("sagemaker", "logs"))
        clients = {"sagemaker": self.sagemaker.client, "logs": self.logs.client}
        self.stack = Stack(boto3.Session(region_name="us-east-1"), None, {}, clients)

    def has_heads(self, heads_per_job: int, done: int) -> None:
        """So many training jobs of the heads' tuning job have ended."""
        run = a_run(plan=replace(FULL_PLAN, heads_per_job=heads_per_job))
        self._describes(REQUESTS.tuning(run), TrainingJobStatusCounters={"Completed": done})

    def has_trials(self, epochs: int = 3, tuned: dict[str, str] | None = None, **statuses: str) -> None:
        """The fine-tuning job has these trials, by name, with these hyperparameters."""
        stage = replace(FULL_PLAN.fine_tuning, epochs=epochs)  # type: ignore[type-var]
        self._describes(REQUESTS.fine_tuning(replace(RUN, plan=replace(FULL_PLAN, fine_tuning=stage))))
        arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/x"
        summaries = [
            {
                "TrainingJobName": name,
                "TrainingJobArn": arn,
                "CreationTime": BEGAN,
                "TrainingJobStatus": status,
                "TunedHyperParameters": tuned or {},
            }
            for name, status in statuses.items()
        ]
        self.sagemaker.add_response(
            "list_training_jobs_for_hyper_parameter_tuning_job", {"TrainingJobSummaries": summaries}
        )

    def _describes(self, request: dict[str, Any], **more: Any) -> None:
        kept = ("HyperParameterTuningJobName", "HyperParameterTuningJobConfig", "TrainingJobDefinition")
        answer: dict[str, Any] = {
            **{name: request[name] for name in kept},
            "HyperParameterTuningJobArn": "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/x",
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": BEGAN,
            "TrainingJobStatusCounters": {},
            "ObjectiveStatusCounters": {},
            **more,
        }
        self.sagemaker.add_response("describe_hyper_parameter_tuning_job", answer)

    def has_lines(self, trial: str, *lines: str) -> None:
        """The next log that is read is this trial's, and has these lines."""
        streams = [{"logStreamName": f"{trial}/algo-1"}]
        self.logs.add_response("describe_log_streams", {"logStreams": streams})
        asked = {"logGroupName": TRAINING_LOGS, "logStreamName": f"{trial}/algo-1", "limit": LINES}
        self.logs.add_response("get_log_events", {"events": [{"message": line} for line in lines]}, asked)


@pytest.fixture
def watched() -> Iterator[Watched]:
    found = Watched()
    with found.sagemaker, found.logs:
        yield found
        found.sagemaker.assert_no_pending_responses()
        found.logs.assert_no_pending_responses()


def epoch(number: int, accuracy: float) -> str:
    others = "train_loss: 0.4; train_accuracy: 0.99; validation_loss: 0.5"
    return f"epoch {number}/3 - {others}; validation_accuracy: {accuracy};"


def test_fine_tuning_progress_counts_epochs_and_names_the_best_accuracy(watched: Watched) -> None:
    watched.has_trials(a="Completed", b="InProgress")
    watched.has_lines("a", epoch(1, 0.8), epoch(2, 0.91), epoch(3, 0.9), "best epoch 2 - validation_accuracy: 0.9100;")
    watched.has_lines("b", "Loading the images", epoch(1, 0.85))

    note = "epochs; best so far 91.0% on validation"
    assert fine_tuning_progress(watched.stack, NAME) == StageProgress("fine-tune", 4, 6, note)


def test_epochs_are_counted_as_they_were_chosen_for_each_trial(watched: Watched) -> None:
    watched.has_trials(epochs=16, tuned={"epochs": "20"}, a="Completed")
    watched.has_lines("a", epoch(1, 0.8))

    assert fine_tuning_progress(watched.stack, NAME) == StageProgress(
        "fine-tune", 20, 36, "epochs; best so far 80.0% on validation"
    )


def test_tuning_progress_counts_all_heads_of_a_training_job(watched: Watched) -> None:
    watched.has_heads(heads_per_job=2, done=1)

    assert tuning_progress(watched.stack, NAME) == StageProgress("tune", 2, 4)


def test_trials_without_a_log_count_no_epochs(watched: Watched) -> None:
    watched.has_trials(a="InProgress", b="InProgress")
    watched.has_lines("a", "Loading the images")
    watched.logs.add_client_error("describe_log_streams", "ResourceNotFoundException")

    assert fine_tuning_progress(watched.stack, NAME) == StageProgress("fine-tune", 0, 6, "epochs")


def test_a_trial_that_failed_counts_as_done(watched: Watched) -> None:
    watched.has_trials(a="Failed")
    watched.has_lines("a", epoch(1, 0.8), "No memory is left.")

    assert fine_tuning_progress(watched.stack, NAME).done == 3


def test_a_fine_tuning_job_not_yet_created_has_no_progress(watched: Watched) -> None:
    watched.sagemaker.add_client_error("describe_hyper_parameter_tuning_job", "ResourceNotFound")

    assert fine_tuning_progress(watched.stack, NAME) == StageProgress("fine-tune")
