"""The two families of errors.

ApiError        the caller's request is refused, at once
  Invalid         ValidationException
  NotFound        ResourceNotFound
  InUse           ResourceInUse
  Conflict        ConflictException
  LimitExceeded   ResourceLimitExceeded
  Unsupported     an operation or option of SageMaker that this endpoint lacks
JobFailure      an accepted job can't continue; its message becomes the job's FailureReason
"""

# SageMaker's limit for a FailureReason, in characters.
REASON_LENGTH = 1024


class ApiError(Exception):
    """A refused request: SageMaker's error code, and one sentence for a person."""

    code = "ValidationException"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(ApiError):
    """The request breaks a rule of the service model or of the operation."""


class NotFound(ApiError):
    """The resource does not exist. For training and processing jobs Invalid is raised instead, as on AWS."""

    code = "ResourceNotFound"


class InUse(ApiError):
    """The name is taken; upper and lower case count as the same."""

    code = "ResourceInUse"


class Conflict(ApiError):
    """The resource is in use in another way than its name."""

    code = "ConflictException"


class Unsupported(ApiError):
    """SageMaker has the operation or option; this endpoint does not."""

    code = "UnsupportedOperation"


class JobFailure(Exception):
    """Ends a job as Failed; SageMaker prefixes the reason with ClientError, AlgorithmError or InternalServerError."""


class LimitExceeded(ApiError):
    """More than an account may have, as AWS's quotas set it."""

    code = "ResourceLimitExceeded"
