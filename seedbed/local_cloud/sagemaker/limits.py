"""When a tuning job is complete: its resource limits and completion criteria."""

import time
from dataclasses import dataclass

from .kinds import Body

# After so many training jobs without one objective the tuning job gives up, as AMT does.
FRUITLESS = 5
NO_LIMIT = 750
FOREVER = 30 * 86_400


@dataclass(frozen=True)
class Limits:
    """When a tuning job is complete."""

    jobs: int
    parallel: int
    deadline: float
    target: float | None
    patience: int | None

    @classmethod
    def read(cls, config: Body, created: float) -> "Limits":
        resources = config["ResourceLimits"]
        criteria = config.get("TuningJobCompletionCriteria", {})
        return cls(
            resources.get("MaxNumberOfTrainingJobs", NO_LIMIT),
            resources["MaxParallelTrainingJobs"],
            created + resources.get("MaxRuntimeInSeconds", FOREVER),
            criteria.get("TargetObjectiveMetricValue"),
            criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving"),
        )

    def seconds_left(self) -> float:
        return max(0.0, self.deadline - time.time())

    def reached(self, objectives: list[float | None], maximize: bool) -> bool:
        """Whether what has been found so far, in its order, is enough or gives no hope."""
        found = [(value if maximize else -value) for value in objectives if value is not None]
        if not found:
            return len(objectives) >= FRUITLESS
        best = max(found)
        if self.target is not None and best >= (self.target if maximize else -self.target):
            return True
        return self.patience is not None and len(found) - 1 - found.index(best) >= self.patience
