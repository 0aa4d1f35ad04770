"""Follows a run: its state by the API, the progress of its stages by SageMaker and the jobs' logs."""

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
class StageProgress:
    """How far a stage is: `done` of `total`, both 0 while unknown."""

    stage: str
    done: int = 0
    total: int = 0
    note: str = ""


def new_run(stack: Stack, known: set[str]) -> Iterator[StageProgress | str]:
    """Wait for a run that is not among `known`: yields the progress of the stage `settle`, and the run's id at last."""
    while True:
        fresh = [run["run_id"] for run in stack.get("/runs")["runs"] if run["run_id"] not in known]
        if fresh:
            yield fresh[0]
            return
        yield StageProgress("settle", note="waiting for the uploads to end")
        time.sleep(POLL_SECONDS)


def follow(stack: Stack, run_id: str) -> Iterator[StageProgress]:
    """Yields the progress of a run's stages until the run has ended."""
    while True:
        state = run_state(stack, run_id)
        if state in ENDED:
            return
        if state == "Tuning":
            yield tuning_progress(stack, run_id)
        elif state == "FineTuning":
            yield fine_tuning_progress(stack, f"{run_id}-fine")
        else:
            stage = STAGES[state]
            yield processing_progress(stack, stage, f"{run_id}-{stage}")
        time.sleep(POLL_SECONDS)


def run_state(stack: Stack, run_id: str) -> str:
    state: str = stack.get(f"/runs/{run_id}")["state"]
    return state


def tuning_progress(stack: Stack, run_id: str) -> StageProgress:
    """How many heads have been trained, counted when their training job ends, and the best accuracy so far."""
    try:
        job = stack.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=run_id)
    except ClientError:
        return StageProgress("tune")
    counters = job["TrainingJobStatusCounters"]
    done = sum(counters.get(name, 0) for name in ("Completed", "Stopped", "NonRetryableError"))
    total = job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    heads = int(job["TrainingJobDefinition"]["StaticHyperParameters"].get("heads", 1))
    return StageProgress("tune", heads * done, heads * total, best_note(job.get("BestTrainingJob")))


def best_note(best: dict[str, Any] | None) -> str:
    if not best or "FinalHyperParameterTuningJobObjectiveMetric" not in best:
        return ""
    return best_so_far(best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def best_so_far(accuracy: float) -> str:
    return f"best so far {accuracy:.1%} on validation"


def fine_tuning_progress(stack: Stack, name: str) -> StageProgress:
    """How many epochs the trials have done, and the best accuracy so far. A trial that ended counts in full."""
    sagemaker = stack.client("sagemaker")
    try:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        asked = {"HyperParameterTuningJobName": name, "SortBy": "CreationTime", "SortOrder": "Ascending"}
        trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)["TrainingJobSummaries"]
    except ClientError:
        return StageProgress("fine-tune")
    planned = planned_epochs(job)
    total = planned * job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    done, accuracies = 0, []
    for trial in trials:
        epochs = int(trial["TunedHyperParameters"].get("epochs", planned))
        total += epochs - planned
        lines = last_lines(stack, TRAINING_LOGS, trial["TrainingJobName"])
        seen = [match for line in lines if (match := EPOCH_LINE.match(line))]
        accuracies += [float(match.group(2)) for match in seen]
        in_progress = trial["TrainingJobStatus"] == "InProgress"
        done += (int(seen[-1].group(1)) if seen else 0) if in_progress else epochs
    note = f"epochs; {best_so_far(max(accuracies))}" if accuracies else "epochs"
    return StageProgress("fine-tune", done, total, note)


def planned_epochs(job: dict[str, Any]) -> int:
    """How many epochs a trial of a tuning job has: what is fixed, or the middle of what is searched."""
    ranges = job["HyperParameterTuningJobConfig"]["ParameterRanges"].get("IntegerParameterRanges", [])
    ends = [int(found[end]) for found in ranges if found["Name"] == "epochs" for end in ("MinValue", "MaxValue")]
    return sum(ends) // 2 or int(job["TrainingJobDefinition"]["StaticHyperParameters"]["epochs"])


def processing_progress(stack: Stack, stage: str, job: str) -> StageProgress:
    """What the last progress line in a processing job's log states."""
    found = [match for line in last_lines(stack, PROCESSING_LOGS, job) if (match := PROGRESS_LINE.search(line))]
    if not found:
        return StageProgress(stage)
    kind, done, total = found[-1].groups()
    return StageProgress(stage, int(done), int(total), NOTES[kind])


def last_lines(stack: Stack, group: str, job: str) -> list[str]:
    """The last lines of a job's log, oldest first; empty if there is no log yet."""
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
