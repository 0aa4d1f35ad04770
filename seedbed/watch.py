"""Follow a run from outside: the API for its state, SageMaker and its logs for how far a stage is."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .stack import Stack

POLL_SECONDS = 0.5
LINES = 50
PROCESSING_LOGS = "/aws/sagemaker/ProcessingJobs"
TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
EPOCH_LINE = re.compile(r"^epoch (\d+)/\d+ - .*validation_accuracy: ([0-9.]+)")
PROGRESS_LINE = re.compile(r"(checked|progress): (\d+)/(\d+)")
NOTES = {"checked": "checking every file", "progress": ""}
ENDED = {"Completed", "Failed", "Stopped", "Refused"}
STAGES = {"Preparing": "prepare", "Tuning": "tune", "Evaluating": "evaluate"}


@dataclass(frozen=True)
class Step:
    """How far a stage is: `done` of `total`, 0 of 0 while unknown."""

    stage: str
    done: int = 0
    total: int = 0
    note: str = ""


def new_run(stack: Stack, known: set[str]) -> Iterator[Step | str]:
    """Wait until a run appears that is not among `known`: steps of the stage `settle`, then the run's id."""
    while True:
        fresh = [run["run_id"] for run in stack.get("/runs")["runs"] if run["run_id"] not in known]
        if fresh:
            yield fresh[0]
            return
        yield Step("settle", note="waiting for the uploads to end")
        time.sleep(POLL_SECONDS)


def follow(stack: Stack, run_id: str) -> Iterator[Step]:
    """Steps of one run's stages until it has ended."""
    while True:
        state = run_state(stack, run_id)
        if state in ENDED:
            return
        if state == "Tuning":
            yield tuning_step(stack, run_id)
        elif state == "FineTuning":
            yield fine_tuning_step(stack, f"{run_id}-fine")
        else:
            stage = STAGES[state]
            yield processing_step(stack, stage, f"{run_id}-{stage}")
        time.sleep(POLL_SECONDS)


def run_state(stack: Stack, run_id: str) -> str:
    state: str = stack.get(f"/runs/{run_id}")["state"]
    return state


def tuning_step(stack: Stack, run_id: str) -> Step:
    """How many trials have ended, and the best so far."""
    try:
        job = stack.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=run_id)
    except ClientError:
        return Step("tune")
    counters = job["TrainingJobStatusCounters"]
    done = sum(counters.get(name, 0) for name in ("Completed", "Stopped", "NonRetryableError"))
    total = job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    return Step("tune", done, total, best_note(job.get("BestTrainingJob")))


def best_note(best: dict[str, Any] | None) -> str:
    if not best or "FinalHyperParameterTuningJobObjectiveMetric" not in best:
        return ""
    return best_so_far(best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def best_so_far(accuracy: float) -> str:
    return f"best so far {accuracy:.1%} on validation"


def fine_tuning_step(stack: Stack, name: str) -> Step:
    """How many epochs all trials have done, those that ended counting whole, and the best accuracy so far."""
    sagemaker = stack.client("sagemaker")
    try:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        asked = {"HyperParameterTuningJobName": name, "SortBy": "CreationTime", "SortOrder": "Ascending"}
        trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)["TrainingJobSummaries"]
    except ClientError:
        return Step("fine-tune")
    epochs = int(job["TrainingJobDefinition"]["StaticHyperParameters"]["epochs"])
    done, accuracies = 0, []
    for trial in trials:
        lines = last_lines(stack, TRAINING_LOGS, trial["TrainingJobName"])
        seen = [match for line in lines if (match := EPOCH_LINE.match(line))]
        accuracies += [float(match.group(2)) for match in seen]
        going_on = trial["TrainingJobStatus"] == "InProgress"
        done += (int(seen[-1].group(1)) if seen else 0) if going_on else epochs
    total = epochs * job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    return Step("fine-tune", done, total, f"epochs; {best_so_far(max(accuracies))}" if accuracies else "epochs")


def processing_step(stack: Stack, stage: str, job: str) -> Step:
    """The last progress line in a processing job's log."""
    found = [match for line in last_lines(stack, PROCESSING_LOGS, job) if (match := PROGRESS_LINE.search(line))]
    if not found:
        return Step(stage)
    kind, done, total = found[-1].groups()
    return Step(stage, int(done), int(total), NOTES[kind])


def last_lines(stack: Stack, group: str, job: str) -> list[str]:
    """The last lines of a job's log, oldest first; none while it has none."""
    logs = stack.client("logs")
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        if not streams:
            return []
        name = streams[-1]["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=name, limit=LINES)["events"]
    except ClientError:
        return []
    return [event["message"] for event in events]
