"""How far a run's stage is by SageMaker and the jobs' logs: images and epochs, which the API does not tell."""

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..stack import Stack
from .stage import STAGES, StageProgress, best_so_far

LINES = 50
PROCESSING_LOGS = "/aws/sagemaker/ProcessingJobs"
TRAINING_LOGS = "/aws/sagemaker/TrainingJobs"
EPOCH_LINE = re.compile(r"^epoch (\d+)/\d+ - .*validation_accuracy: ([0-9.]+)")
PROGRESS_LINE = re.compile(r"progress: (\d+)/(\d+)")
DENIED = ("AccessDenied", "Unauthorized", "Forbidden")


class JobsProgress:
    """What SageMaker and the logs tell of a run's jobs, as long as the person may ask for that."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._denied = False

    def of(self, run: Mapping[str, Any]) -> StageProgress | None:
        """How far the stage of a run in progress is; None while nothing tells."""
        if self._denied or run["state"] not in STAGES:
            return None
        try:
            found = progress_of(self._stack, run["run_id"], STAGES[run["state"]])
        except ClientError as error:
            self._denied = error.response["Error"]["Code"].startswith(DENIED)
            return None
        except BotoCoreError:
            return None
        return found if found.total else None


def progress_of(stack: Stack, run_id: str, stage: str) -> StageProgress:
    """How far a run's stage is. Raises ClientError where that may not be asked for."""
    if stage == "tune":
        return tuning_progress(stack, run_id)
    if stage == "fine-tune":
        return fine_tuning_progress(stack, f"{run_id}-fine")
    if stage == "refit":  # one job, of which the API tells
        return StageProgress(stage)
    return processing_progress(stack, stage, f"{run_id}-{stage}")


def tuning_progress(stack: Stack, run_id: str) -> StageProgress:
    """How many heads have been trained, counted when their training job ends, and the best accuracy so far."""
    try:
        job = stack.client("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=run_id)
    except ClientError as error:
        unless_denied(error)
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


def fine_tuning_progress(stack: Stack, name: str) -> StageProgress:
    """How many epochs the trials have done, and the best accuracy so far. A trial that ended counts in full."""
    sagemaker = stack.client("sagemaker")
    try:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        asked = {"HyperParameterTuningJobName": name, "SortBy": "CreationTime", "SortOrder": "Ascending"}
        trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)["TrainingJobSummaries"]
    except ClientError as error:
        unless_denied(error)
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
    done, total = found[-1].groups()
    return StageProgress(stage, int(done), int(total))


def last_lines(stack: Stack, group: str, job: str) -> list[str]:
    """The last lines of a job's log, oldest first; empty if there is no log yet."""
    logs = stack.client("logs")
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        if not streams:
            return []
        name = streams[-1]["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=name, limit=LINES)["events"]
    except ClientError as error:
        unless_denied(error)
        return []
    return [event["message"] for event in events]


def unless_denied(error: ClientError) -> None:
    """Raises the error if it says that one may not ask; else nothing is there yet."""
    if error.response["Error"]["Code"].startswith(DENIED):
        raise error
