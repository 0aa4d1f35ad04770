"""Money: what a run may cost at most, and what it did cost, in US dollars."""

from .errors import RunRefused
from .plan import Machine, Plan


def upper_bound(plan: Plan) -> float:
    """The most a run can cost: every job runs until its time limit."""
    jobs = [
        price(plan.training, stage_seconds(plan, plan.trials, plan.parallel_trials, plan.trial_time_limit)),
        price(plan.processing, 2 * plan.processing_time_limit),
    ]
    if plan.fine_tuning:
        stage = plan.fine_tuning
        seconds = stage_seconds(plan, stage.trials, stage.parallel_trials, stage.trial_time_limit)
        jobs.append(price(stage.machine, seconds))
    return sum(jobs)


def stage_seconds(plan: Plan, trials: int, parallel: int, trial_time_limit: int) -> int:
    """The most instance seconds of one tuning job, which has a time limit of its own beside its trials'."""
    return min(trials * trial_time_limit, parallel * plan.tuning_time_limit)


def price(machine: Machine, seconds: float) -> float:
    """What `seconds` of one instance cost."""
    return machine.price_per_hour * seconds / 3600


def check_month(plan: Plan, spent: float) -> None:
    """Raise RunRefused where a run could, with what was `spent` this month, cost more than a month may."""
    bound = upper_bound(plan)
    if plan.monthly_budget is not None and spent + bound > plan.monthly_budget:
        raise RunRefused(
            f"This month's runs have cost ${spent:.2f} and this one could cost up to ${bound:.2f}, together above the "
            f"month's budget of ${plan.monthly_budget:.2f}. Wait for the next month, or allow fewer trials, shorter "
            "time limits or a larger MonthlyBudget."
        )


def check_budget(plan: Plan) -> None:
    """Raise RunRefused where a run could cost more than its budget."""
    bound = upper_bound(plan)
    if bound > plan.budget:
        raise RunRefused(
            f"The run could cost up to ${bound:.2f}, above its budget of ${plan.budget:.2f}. "
            "Allow fewer trials, shorter time limits or a larger RunBudget."
        )
