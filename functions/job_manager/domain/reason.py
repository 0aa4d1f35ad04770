"""Why a job failed, in words that say what to do: SageMaker often gives only an exit code."""

import re

KILLED = re.compile(r"exit code:? 137\b")
WHAT_TO_LOWER = (
    "It was killed, most likely because it ran out of memory: lower ImageSize, CachedViews or, where jobs share a "
    "machine, ParallelTrials, or choose a larger instance type."
)
# Part of the message of a job whose input was written by another version of the trainer.
OTHER_TRAINER = "made by another version of the trainer"
NO_SPOT_INSTANCE = "No spot instance was free in time"
TRAINER_CHANGED = "The trainer was changed while the run was in progress."
# How FailureReason begins where SageMaker itself was at fault, and where to read such reasons. A container's own words
# stand after "AlgorithmError: ", so they are not taken for these.
FAULTS_OF_AWS = re.compile(
    # "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance
    # type.": github.com/DIAGNijmegen/rse-grand-challenge/issues/2631
    rf"{NO_SPOT_INSTANCE}|CapacityError\b|(ClientError: )?Unable to provision requested ML compute capacity"
    r"|Insufficient capacity error from EC2"
    # A quota that others used up after the tuning job was created.
    r"|(ClientError: )?(ResourceLimitExceeded\b|The account-level service limit )"
    # "InternalServerError: We encountered an internal error. Please try again.": what AMT's RetryStrategy is for
    r"|InternalServerError\b"
    # "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect.":
    # github.com/aws/sagemaker-python-sdk/issues/57
    r"|(ClientError: )?Cannot pull algorithm container"
    # "ClientError: API error (404): manifest for … not found: manifest unknown: Requested image not found":
    # github.com/aws-samples/amazon-sagemaker-tensorflow-object-detection-api/issues/14
    r"|(ClientError: )?API error \(\d{3}\): (manifest|pull access denied|repository|Get )"
)

# Those of them that another instance type may not meet.
NO_INSTANCES = re.compile(
    r"CapacityError\b|(ClientError: )?(Unable to provision requested|ResourceLimitExceeded\b|The account-level service)"
    r"|Insufficient capacity error from EC2"
)


def names_other_trainer(reason: str | None) -> bool:
    """Whether a job failed because the trainer was changed after an earlier job of the run."""
    return reason is not None and OTHER_TRAINER in reason


def blames_aws(reason: str | None) -> bool:
    """Whether a job failed for want of capacity or quota, as its image was not pulled, or of an internal error."""
    return reason is not None and FAULTS_OF_AWS.match(reason) is not None


def lacks_instances(reason: str | None) -> bool:
    """Whether a job failed for want of capacity or quota of its instance type."""
    return reason is not None and NO_INSTANCES.match(reason) is not None


def lacked_spot(reason: str | None) -> bool:
    """Whether a run ended for want of spot instances."""
    return reason is not None and reason.startswith(NO_SPOT_INSTANCE)


def explained(reason: str | None) -> str | None:
    """The reason, with advice if the job was killed."""
    if reason is None or not KILLED.search(reason):
        return reason
    return f"{reason.rstrip('.')}. {WHAT_TO_LOWER}"
