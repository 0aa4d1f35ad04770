"""What a run may cost at most and what it has cost, in US dollars."""

from .errors import RunRefused
from .plan import Machine, Plan


def upper_bound(plan: Plan) -> float:
    """The most a run can cost: every job runs until its time limit, on the dearest machine it may get, none on spot."""
    heads = stage_seconds(plan, plan.head_jobs, plan.parallel_trials, plan.trial_time_limit)
    heads += plan.trial_time_limit if plan.head_sample else 0
    instances = processing_instances(plan)
    jobs = [
        highest_price(plan.training, heads),
        highest_price(plan.processing, instances * plan.processing_time_limit),
    ]
    if plan.fine_tuning:
        stage = plan.fine_tuning
        seconds = stage_seconds(plan, stage.trials, stage.parallel_trials, stage.trial_time_limit)
        jobs.append(highest_price(stage.machine, seconds))
    return sum(jobs)


def processing_instances(plan: Plan) -> int:
    """How many instances its processing jobs have together: prepare's, merge's if prepare has several, evaluate's."""
    return plan.prepare_instances + (1 if plan.prepare_instances > 1 else 0) + 1


def stage_seconds(plan: Plan, jobs: int, parallel: int, time_limit: int) -> int:
    """The most instance seconds of one tuning job: its own time limit and its training jobs' both apply."""
    return min(jobs * time_limit, parallel * plan.tuning_time_limit)


def highest_price(machine: Machine, seconds: float) -> float:
    """The cost of `seconds` on the machine or the dearest of its alternatives."""
    return max(price(each, seconds) for each in (machine, *machine.alternatives))


def price(machine: Machine, seconds: float) -> float:
    """The cost of `seconds` on one instance."""
    return machine.price_per_hour * seconds / 3600


def check_month(plan: Plan, spent: float) -> None:
    """Raise RunRefused if a run, on top of what was `spent` this month, could exceed the monthly budget."""
    bound = upper_bound(plan)
    if plan.monthly_budget is not None and spent + bound > plan.monthly_budget:
        raise RunRefused(
            f"This month's runs have cost ${spent:.2f} and this one could cost up to ${bound:.2f}: together more than "
            f"the monthly budget of ${plan.monthly_budget:.2f}. Wait for the next month, lower the number of trials or "
            "the time limits, or raise MonthlyBudget."
        )


def other_ways(plan: Plan) -> str:
    """What else costs less, as part of an enumeration."""
    return ", PrepareInstances" if plan.prepare_instances > 1 else ""


def check_budget(plan: Plan) -> None:
    """Raise RunRefused if a run could cost more than its budget."""
    bound = upper_bound(plan)
    if bound > plan.budget:
        raise RunRefused(
            f"The run could cost up to ${bound:.2f}, more than its budget of ${plan.budget:.2f}. "
            f"Lower the number of trials{other_ways(plan)} or the time limits, or raise RunBudget."
        )
