"""What SageMaker's refusal to create a job means: never, or not now; and how long a run waits for each cause."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import Cause, JobDelayed, JobRejected
from .plan import Plan

NOTICE_AFTER = timedelta(minutes=10)
"""People are told of a run that has waited this long: most refusals pass sooner."""

PATIENCE: Mapping[Cause, timedelta] = {
    Cause.QUOTA: timedelta(hours=6),
    Cause.CAPACITY: timedelta(hours=6),
    Cause.PERMISSION: timedelta(hours=1),
    Cause.THROTTLING: timedelta(hours=6),
    Cause.SERVICE: timedelta(hours=6),
}
"""A run ends after waiting this long, so that later images get theirs. New permissions take effect within minutes."""

QUOTAS_PAGE = "https://console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"

PARALLEL_QUOTA = 10
"""How many training jobs of a tuning job may run at a time by AMT's default quota."""

# "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances, with current utilization of
# 0 Instances and a request delta of 2 Instances. Please use AWS Service Quotas to request an increase"
QUOTA = re.compile(
    r"limit '(?P<name>[^']{1,200})' is (?P<limit>\d[\d,]*)\b[^,]{0,40}"
    r"(?:, with current utilization of (?P<used>\d[\d,]*)\b.{0,40}?request delta of (?P<wanted>\d[\d,]*)\b)?"
)
OF_SPOT_INSTANCES = re.compile("for spot training", re.IGNORECASE)
OF_PARENTS = re.compile("parent|warm", re.IGNORECASE)
NOT_PERMITTED = re.compile(
    r"access denied|not authorized|assume (the |role)|does not grant|no identity-based policy", re.IGNORECASE
)
CODES = (
    (re.compile("AccessDenied|UnauthorizedOperation|NotAuthorized"), Cause.PERMISSION),
    (re.compile("Capacity"), Cause.CAPACITY),
    (re.compile("Throttl|TooManyRequests|RequestLimit|LimitExceeded"), Cause.THROTTLING),
)
WAITS: Mapping[Cause, str] = {
    Cause.QUOTA: "waits for a quota of this account",
    Cause.CAPACITY: "waits, as AWS has no free instance of its type",
    Cause.PERMISSION: "waits for a permission",
    Cause.THROTTLING: "waits, as SageMaker takes no more requests for now",
    Cause.SERVICE: "waits, as SageMaker can't create it for now",
}
INSTANCES_OF, OF_TRIALS = {"prepare job": "PrepareInstances"}, "ParallelTrials or FineTuneParallelTrials"
"""The parameters that have a job need fewer instances."""
MESSAGE_KEPT = 1024
"""How many characters of AWS's message people are told, as many as of a FailureReason."""
NEVER = {"ValidationException", "ResourceNotFound"}


@dataclass(frozen=True)
class Delay:
    """Since when a run's job is refused, and the latest cause."""

    cause: Cause
    since: datetime

    def is_worth_telling(self, now: datetime) -> bool:
        """Whether it has lasted so long that people should know."""
        return now - self.since >= NOTICE_AFTER

    def is_over(self, now: datetime) -> bool:
        """Whether it has lasted so long that the run continues without the job, or ends."""
        return now - self.since >= PATIENCE[self.cause]

    @property
    def hours(self) -> str:
        """How long a run waits for this cause."""
        hours = PATIENCE[self.cause] // timedelta(hours=1)
        return f"{hours} {'hour' if hours == 1 else 'hours'}"


def quota_notice(plan: Plan) -> str | None:
    """A sentence for a plan that needs a higher quota than AMT's default; None for others."""
    stage = plan.fine_tuning
    most = max(min(plan.parallel_trials, plan.head_jobs), min(stage.parallel_trials, stage.trials) if stage else 0)
    if most <= PARALLEL_QUOTA:
        return None
    return (
        f"It runs up to {most} training jobs at a time, and SageMaker allows a tuning job {PARALLEL_QUOTA} by default: "
        f"ask for a higher quota at {QUOTAS_PAGE}, or lower ParallelTrials or FineTuneParallelTrials."
    )


def refusal(job: str, code: str, message: str) -> JobRejected | JobDelayed:
    """What an error of a Create call means for a job, such as "prepare job"; the message is AWS's, of any length."""
    message = message[:MESSAGE_KEPT]
    if code == "ResourceLimitExceeded":
        return over_quota(job, message)
    if code in NEVER and not NOT_PERMITTED.search(message):
        return JobRejected(f"SageMaker refused the {job}: {message}")
    cause = Cause.PERMISSION if code in NEVER else cause_of(code)
    return JobDelayed(cause, f"The {job} {WAITS[cause]}: {message}")


def refuses_spot(reason: str) -> bool:
    """Whether a job is refused for the quota of spot instances, which is another than that of instances on demand."""
    return OF_SPOT_INSTANCES.search(reason) is not None


def cause_of(code: str) -> Cause:
    return next((cause for pattern, cause in CODES if pattern.search(code)), Cause.SERVICE)


def over_quota(job: str, message: str) -> JobRejected | JobDelayed:
    """A quota that is too small for the job alone never passes; one that others use up may."""
    found = QUOTA.search(message)
    if not found and OF_PARENTS.search(message):
        return JobRejected(f"SageMaker refused the {job}: {message}")
    if not found:
        return JobDelayed(Cause.QUOTA, f"The {job} {WAITS[Cause.QUOTA]}: {message}")
    name, used = found["name"], found["used"] or "all"
    limit, wanted = (int((found[part] or "1").replace(",", "")) for part in ("limit", "wanted"))
    raise_it = f"Ask for more at {QUOTAS_PAGE}"
    if wanted <= limit:
        quota = f"'{name}' is {limit}, {used} in use, and it needs {wanted}"
        return JobDelayed(
            Cause.QUOTA, f"The {job} {WAITS[Cause.QUOTA]}: {quota}. {raise_it} if it does not become free."
        )
    fewer = f", or lower {INSTANCES_OF.get(job, OF_TRIALS)}" if limit and wanted > 1 else ""
    return JobRejected(
        f"SageMaker refused the {job}: the quota '{name}' is {limit}, and it needs {wanted}. {raise_it}{fewer}.",
        Cause.QUOTA,
    )
