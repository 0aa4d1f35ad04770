"""When a tuning job is complete: its limits, completion criteria and convergence."""

from typing import Any

import pytest

from seedbed.local_cloud.sagemaker.tuning.limits import CONVERGED_AFTER, Limits, convergence, not_improving


@pytest.mark.parametrize(
    ("objectives", "maximize", "count"),
    [
        ([], True, 0),
        ([0.5, 0.6], True, 0),
        ([0.5, 0.502, 0.4], True, 2),
        ([0.5, 0.502, 0.504, 0.505], True, 0),  # small steps add up
        ([0.5, 0.4], False, 0),
        ([0.5, 0.499, 0.6], False, 2),
        ([-2.0, -1.99, -1.9], True, 0),
        ([0.0, 0.0, 0.001], True, 0),  # from nothing everything is an improvement
    ],
)
def test_an_improvement_is_one_percent_or_more(objectives: list[float], maximize: bool, count: int) -> None:
    assert not_improving(objectives, maximize) == count


def test_a_search_converges_when_improvements_have_become_unlikely() -> None:
    stuck = [0.5, 0.9, *[0.9] * CONVERGED_AFTER]
    assert convergence(stuck, maximize=True) == len(stuck) - 1
    assert convergence(stuck[:-1], maximize=True) is None
    assert convergence([*stuck, 0.99], maximize=True) == len(stuck) - 1, "once converged, it has"
    assert 0.9**CONVERGED_AFTER < 0.05 <= 0.9 ** (CONVERGED_AFTER - 1)


@pytest.mark.parametrize(("mode", "ends"), [("Enabled", True), ("Disabled", False)])
def test_convergence_ends_the_tuning_job_if_enabled(mode: str, ends: bool) -> None:
    criteria = {"ConvergenceDetected": {"CompleteOnConvergence": mode}}
    config = {"ResourceLimits": {"MaxParallelTrainingJobs": 1}, "TuningJobCompletionCriteria": criteria}
    objectives: list[float | None] = [0.9, *[0.9] * CONVERGED_AFTER]
    assert Limits.read(config, 0).reached(objectives, maximize=True) is ends


@pytest.mark.parametrize(("strategy", "jobs"), [("Random", 10_000), ("Bayesian", 750), ("Hyperband", 750)])
def test_without_a_limit_there_are_as_many_jobs_as_the_quota_allows(strategy: str, jobs: int) -> None:
    resources = {"MaxParallelTrainingJobs": 1, "MaxRuntimeInSeconds": 120}
    limits = Limits.read({"Strategy": strategy, "ResourceLimits": resources}, 1000.0)
    assert limits.jobs == jobs
    assert limits.seconds_left() == 0.0
    assert limits.seconds_left() == 0.0


def limits(**criteria: Any) -> Limits:
    return Limits.read({"ResourceLimits": {"MaxParallelTrainingJobs": 1}, "TuningJobCompletionCriteria": criteria}, 0)


def test_completion_criteria_end_a_tuning_job() -> None:
    patience = limits(BestObjectiveNotImproving={"MaxNumberOfTrainingJobsNotImproving": 3})
    assert not patience.reached([0.5, 0.9, 0.1, 0.2], maximize=True)
    assert patience.reached([0.5, 0.9, 0.1, 0.2, None, 0.3], maximize=True)
    assert limits(TargetObjectiveMetricValue=0.2).reached([0.5, 0.19], maximize=False)
    assert not limits(TargetObjectiveMetricValue=0.2).reached([0.5, 0.21], maximize=False)
    assert limits().reached([None] * 5, maximize=True)
    assert not limits().reached([None] * 4, maximize=True)
