"""The search of one tuning job, as AMT's API describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.plan import Machine
from ..domain.search_space import Choice, Continuous, Integer, SearchSpace


@dataclass(frozen=True)
class TuningStage:
    """The differences between the tuning job of the heads and that of fine-tuning; times in seconds."""

    name: str
    strategy: str
    trials: int
    parallel_trials: int
    space: SearchSpace
    fixed: Mapping[str, str]
    machine: Machine
    trial_time_limit: int
    early_stopping: str
    volume_gib: int

    def config(self, objective: str, time_limit: int) -> dict[str, Any]:
        """HyperParameterTuningJobConfig, which maximizes `objective`."""
        return {
            "Strategy": self.strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": objective},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": self.trials,
                "MaxParallelTrainingJobs": min(self.parallel_trials, self.trials),
                "MaxRuntimeInSeconds": time_limit,
            },
            "ParameterRanges": parameter_ranges(self.space),
            "TrainingJobEarlyStoppingType": self.early_stopping,
            "RandomSeed": 1,
        }


def with_backbones(
    space: SearchSpace, fixed: Mapping[str, str], backbones: Sequence[str]
) -> tuple[SearchSpace, Mapping[str, str]]:
    """The search space and the fixed values, with the backbone in one of them: searched if there are several."""
    if len(backbones) == 1:
        return space, {**fixed, "backbone": backbones[0]}
    return {**space, "backbone": Choice(tuple(backbones))}, fixed


def parameter_ranges(space: SearchSpace) -> dict[str, list[dict[str, Any]]]:
    """The search space as AMT's ParameterRanges; bounds are text there."""

    def ranges(kind: type[Continuous] | type[Integer]) -> list[dict[str, Any]]:
        return [
            {
                "Name": name,
                "MinValue": str(values.low),
                "MaxValue": str(values.high),
                "ScalingType": "Logarithmic" if values.logarithmic else "Linear",
            }
            for name, values in space.items()
            if isinstance(values, kind)
        ]

    choices = [{"Name": name, "Values": list(of.values)} for name, of in space.items() if isinstance(of, Choice)]
    return {
        "ContinuousParameterRanges": ranges(Continuous),
        "IntegerParameterRanges": ranges(Integer),
        **({"CategoricalParameterRanges": choices} if choices else {}),
    }
