"""What a run may cost at most, and the budget that stops it."""

from dataclasses import replace

import pytest

from job_manager.domain.cost import check_budget, upper_bound
from job_manager.domain.errors import RunRefused
from job_manager.domain.plan import FineTuning, Machine
from tests.fakes.world import PLAN

HOURLY = replace(
    PLAN,
    training=Machine("ml.m5.large", 1.0),
    processing=Machine("ml.m5.xlarge", 10.0),
    trials=4,
    parallel_trials=2,
    trial_time_limit=3600,
    tuning_time_limit=36_000,
    processing_time_limit=360,
)


def test_every_job_may_run_until_its_time_limit() -> None:
    assert upper_bound(HOURLY) == pytest.approx(4 * 1.0 + 2 * 0.1 * 10.0)


def test_heads_that_share_a_training_job_share_its_time_limit() -> None:
    assert upper_bound(replace(HOURLY, heads_per_job=2)) == pytest.approx(2 * 1.0 + 2.0)
    assert upper_bound(replace(HOURLY, heads_per_job=3)) == pytest.approx(2 * 1.0 + 2.0)
    assert upper_bound(replace(HOURLY, heads_per_job=100)) == pytest.approx(1 * 1.0 + 2.0)


def test_spot_instances_do_not_lower_the_bound() -> None:
    assert upper_bound(replace(HOURLY, spot=True)) == upper_bound(HOURLY)


def test_the_tuning_jobs_time_limit_also_limits_its_trials() -> None:
    assert upper_bound(replace(HOURLY, tuning_time_limit=1800)) == pytest.approx(2 * 0.5 * 1.0 + 2.0)


def test_fine_tuning_counts_at_its_own_price_and_time_limits() -> None:
    stage = FineTuning(3, 2, 30, 160, Machine("ml.c5.2xlarge", 5.0), trial_time_limit=3600)

    assert upper_bound(replace(HOURLY, fine_tuning=stage)) == pytest.approx(6.0 + 3 * 5.0)
    assert upper_bound(replace(HOURLY, fine_tuning=stage, tuning_time_limit=1800)) == pytest.approx(3.0 + 2 * 0.5 * 5.0)


def test_a_run_that_costs_exactly_its_budget_is_accepted() -> None:
    check_budget(replace(HOURLY, budget=6.0))


def test_a_run_above_its_budget_is_refused_with_advice() -> None:
    with pytest.raises(RunRefused, match=r"up to \$6\.00, more than its budget of \$5\.99\. Lower the number"):
        check_budget(replace(HOURLY, budget=5.99))
