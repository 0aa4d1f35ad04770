"""What runs are measured by, for the dashboard and the alarms: a Measurement for each fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from .job import SPOT_WAIT_SECONDS
from .plan import Plan
from .results.trial import Trial
from .run import STAGES_WITH_TRIALS, Run, RunState

START = timedelta(minutes=15)
"""A job may take this long to get its instance and its image; its time limit does not count that."""


class Metric(Enum):
    """A metric's name and CloudWatch's unit of it; ratios and US dollars have none."""

    RUNS_STARTED = ("RunsStarted", "Count")
    RUNS_COMPLETED = ("RunsCompleted", "Count")
    RUNS_FAILED = ("RunsFailed", "Count")
    RUNS_STOPPED = ("RunsStopped", "Count")
    RUNS_REFUSED = ("RunsRefused", "Count")
    RUN_COST = ("RunCost", "None")
    IMAGES_USED = ("ImagesUsed", "Count")
    VALIDATION_ACCURACY = ("ValidationAccuracy", "None")
    TEST_ACCURACY = ("TestAccuracy", "None")
    STAGE_DURATION = ("StageDuration", "Seconds")
    STAGE_TIME_USED = ("StageTimeUsed", "Percent")
    TRIALS_FINISHED = ("TrialsFinished", "Count")
    TRIALS_FAILED = ("TrialsFailed", "Count")
    EMAILS_SENT = ("EmailsSent", "Count")
    EMAILS_UNHEARD = ("EmailsUnheard", "Count")
    RECONCILE_FINDINGS = ("ReconcileFindings", "Count")

    def __init__(self, label: str, unit: str) -> None:
        self.label = label
        self.unit = unit


ENDS = {
    RunState.COMPLETED: Metric.RUNS_COMPLETED,
    RunState.FAILED: Metric.RUNS_FAILED,
    RunState.STOPPED: Metric.RUNS_STOPPED,
    RunState.REFUSED: Metric.RUNS_REFUSED,
}
BY_STAGE = {Metric.STAGE_DURATION, Metric.TRIALS_FINISHED, Metric.TRIALS_FAILED}
"""These metrics have the stage as a dimension."""
RARE = {RunState.MERGING, RunState.REFITTING}
"""Only runs of many images have these stages: they are not measured, so that CloudWatch shows all others for free."""


@dataclass(frozen=True)
class Measurement:
    """One value of a metric; `stage` for those that have it as a dimension."""

    metric: Metric
    value: float = 1.0
    stage: RunState | None = None


def of_new_run(run: Run) -> Iterator[Measurement]:
    """What is known of a run that was just added: that it started, or was refused."""
    yield Measurement(ENDS[run.state] if run.state.ended else Metric.RUNS_STARTED)


def of_move(before: Run, after: Run, trials: Sequence[Trial], now: datetime) -> Iterator[Measurement]:
    """What is known of a run once it left the stage of `before`; `trials` are all of the run's."""
    if before.state not in RARE:
        yield from of_stage(before, after, trials, now)
    if before.dataset is None and after.dataset:
        yield Measurement(Metric.IMAGES_USED, after.dataset.used)
    if after.state.ended:
        yield from of_end(after)


def of_stage(before: Run, after: Run, trials: Sequence[Trial], now: datetime) -> Iterator[Measurement]:
    """How long the stage took that a run left, and what became of its trials."""
    stage = before.state
    yield Measurement(Metric.STAGE_DURATION, seconds_between(before.in_stage_since, after.ended_at or now), stage)
    ended = [trial for trial in trials if trial.ended and trial.stage == STAGES_WITH_TRIALS.get(stage)]
    failed = sum(trial.status == "Failed" for trial in ended)
    if ended:
        yield Measurement(Metric.TRIALS_FINISHED, len(ended) - failed, stage)
        yield Measurement(Metric.TRIALS_FAILED, failed, stage)


def of_end(run: Run) -> Iterator[Measurement]:
    """What is known of a run that ended."""
    yield Measurement(ENDS[run.state])
    yield Measurement(Metric.RUN_COST, run.cost_usd)
    if run.evaluation and run.evaluation.validation_accuracy is not None:
        yield Measurement(Metric.VALIDATION_ACCURACY, run.evaluation.validation_accuracy)
    if run.evaluation:
        yield Measurement(Metric.TEST_ACCURACY, run.evaluation.accuracy)


def of_open_run(run: Run, now: datetime) -> Measurement:
    """How much of its stage's time an open run has used: 100 % is the time limit of the stage's job and its start."""
    allowed = timedelta(seconds=time_limit(run.plan, run.state)) + START
    return Measurement(Metric.STAGE_TIME_USED, 100 * seconds_between(run.in_stage_since, now) / allowed.total_seconds())


def time_limit(plan: Plan, stage: RunState) -> int:
    """The time limit of a stage's job, waiting for a spot instance included, in seconds."""
    if stage is RunState.REFITTING:
        return plan.trial_time_limit + (SPOT_WAIT_SECONDS if plan.spot else 0)
    return plan.tuning_time_limit if stage in STAGES_WITH_TRIALS else plan.processing_time_limit


def seconds_between(start: datetime, end: datetime) -> float:
    """The time between, 0 where a clock was set back."""
    return max((end - start).total_seconds(), 0.0)
