"""How SageMaker refuses to create a job: error codes and messages as AWS words them."""

QUOTA = (
    "The account-level service limit '{name}' is {limit} Instances, with current utilization of {used} Instances and a "
    "request delta of {wanted} Instances. Please use AWS Service Quotas to request an increase for this quota."
)


def quota(limit: int, used: int = 0, wanted: int = 1, name: str = "ml.m5.xlarge for processing job usage") -> str:
    """The message of ResourceLimitExceeded."""
    return QUOTA.format(name=name, limit=limit, used=used, wanted=wanted)


FORBIDDEN = (
    "User: arn:aws:sts::123456789012:assumed-role/seedbed/start_run is not authorized to perform: "
    "sagemaker:CreateProcessingJob because no identity-based policy allows the action"
)
UNASSUMED = "Could not assume role arn:aws:iam::123456789012:role/seedbed. Please ensure that the role exists."
REFUSALS = {
    "quota of 0": ("ResourceLimitExceeded", quota(0)),
    "quota used up": ("ResourceLimitExceeded", quota(4, used=4)),
    "another limit": ("ResourceLimitExceeded", "You have reached a limit of this account."),
    "capacity": ("InsufficientCapacityException", "Unable to provision requested ML compute capacity."),
    "permission": ("AccessDeniedException", FORBIDDEN),
    "role": ("ValidationException", UNASSUMED),
    "repository": ("ValidationException", "Access denied for repository: seedbed-trainer in registry 123456789012."),
    "throttling": ("ThrottlingException", "Rate exceeded"),
    "service": ("InternalFailure", "The request processing has failed because of an unknown error."),
}
