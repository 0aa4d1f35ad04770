"""When a tuning job is complete: its resource limits and completion criteria."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..kinds import Body
from ..records.transitions import deadline_of

# SageMaker's quotas.
MAX_JOBS = {"Random": 10_000}
MAX_JOBS_DEFAULT = 750
MAX_PARALLEL = 100
# After so many training jobs without an objective the tuning job ends, as in AMT.
MAX_JOBS_WITHOUT_OBJECTIVE = 5
DEFAULT_RUNTIME_SECONDS = 30 * 86_400
# A better objective counts as an improvement if it is better by this share of the best one before it.
IMPROVEMENT = 0.01
# If one training job in ten still improved the objective, 29 in a row without that would have a chance below 5%.
CONVERGED_AFTER = 29


@dataclass(frozen=True)
class Limits:
    """When a tuning job is complete.

    jobs, parallel: numbers of training jobs. deadline: a time of `time.monotonic`. target: an objective that ends it.
    patience: how many training jobs in a row may bring no improvement. until_convergence: whether convergence ends it.
    """

    jobs: int
    parallel: int
    deadline: float
    target: float | None
    patience: int | None
    until_convergence: bool = False

    @classmethod
    def read(cls, config: Body, created: float) -> "Limits":
        resources = config["ResourceLimits"]
        criteria = config.get("TuningJobCompletionCriteria", {})
        return cls(
            jobs=resources.get("MaxNumberOfTrainingJobs", max_jobs(config.get("Strategy", ""))),
            parallel=resources["MaxParallelTrainingJobs"],
            deadline=deadline_of(created, resources.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS)),
            target=criteria.get("TargetObjectiveMetricValue"),
            patience=criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
            until_convergence=criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled",
        )

    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def reached(self, objectives: list[float | None], maximize: bool) -> bool:
        """Whether the objectives so far, in order, meet a completion criterion, or none was reported too often."""
        found = [value for value in objectives if value is not None]
        if not found:
            return len(objectives) >= MAX_JOBS_WITHOUT_OBJECTIVE
        best = max(found) if maximize else min(found)
        if self.target is not None and (best >= self.target if maximize else best <= self.target):
            return True
        if self.patience is not None and not_improving(found, maximize) >= self.patience:
            return True
        return self.until_convergence and convergence(found, maximize) is not None


def max_jobs(strategy: str) -> int:
    """How many training jobs a tuning job can have."""
    return MAX_JOBS.get(strategy, MAX_JOBS_DEFAULT)


def not_improving(objectives: Sequence[float], maximize: bool) -> int:
    """How many objectives in a row, up to the last, brought no improvement of 1% or more.

    Each is compared with the last improvement, so small steps that add up to 1% count as one.
    """
    return _stagnation(objectives, maximize)[-1] if objectives else 0


def convergence(objectives: Sequence[float], maximize: bool) -> int | None:
    """The index of the objective with which the search had converged; None if it has not.

    That is the 29th in a row without an improvement of 1%: with 95% confidence, fewer than one training job in ten
    would then bring another. A search that learns finds improvements more often than chance, so this ends it late
    rather than early.
    """
    return next(
        (index for index, count in enumerate(_stagnation(objectives, maximize)) if count >= CONVERGED_AFTER), None
    )


def _stagnation(objectives: Sequence[float], maximize: bool) -> list[int]:
    counts: list[int] = []
    best = 0.0
    for value in objectives:
        gain = value - best if maximize else best - value
        improved = not counts or (gain > 0 and gain >= IMPROVEMENT * abs(best))
        best = value if improved else best
        counts.append(0 if improved else counts[-1] + 1)
    return counts
