"""Money: what a run may cost at most, and what it did cost, in US dollars."""

from .errors import RunRefused
from .plan import Machine, Plan


def upper_bound(plan: Plan) -> float:
    """The most a run can cost: every job runs until its time limit."""
    trial_seconds = min(plan.trials * plan.trial_time_limit, plan.parallel_trials * plan.tuning_time_limit)
    return price(plan.training, trial_seconds) + price(plan.processing, 2 * plan.processing_time_limit)


def price(machine: Machine, seconds: float) -> float:
    """What `seconds` of one instance cost."""
    return machine.price_per_hour * seconds / 3600


def check_budget(plan: Plan) -> None:
    """Raise RunRefused where a run could cost more than its budget."""
    bound = upper_bound(plan)
    if bound > plan.budget:
        raise RunRefused(
            f"The run could cost up to ${bound:.2f}, above its budget of ${plan.budget:.2f}. "
            "Allow fewer trials, shorter time limits or a larger RunBudget."
        )
