"""Follow a run from outside: the API for its state, SageMaker and its logs for how far a stage is."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .stack import Stack

POLL_SECONDS = 0.5
PROCESSING_LOGS = "/aws/sagemaker/ProcessingJobs"
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
    value = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return f"best so far {value:.1%} on validation"


def processing_step(stack: Stack, stage: str, job: str) -> Step:
    """The last progress line in a processing job's log."""
    logs = stack.client("logs")
    try:
        streams = logs.describe_log_streams(logGroupName=PROCESSING_LOGS, logStreamNamePrefix=f"{job}/")["logStreams"]
        if not streams:
            return Step(stage)
        name = streams[-1]["logStreamName"]
        events = logs.get_log_events(logGroupName=PROCESSING_LOGS, logStreamName=name, limit=50)["events"]
    except ClientError:
        return Step(stage)
    found = [match for event in events if (match := PROGRESS_LINE.search(event["message"]))]
    if not found:
        return Step(stage)
    kind, done, total = found[-1].groups()
    return Step(stage, int(done), int(total), NOTES[kind])
