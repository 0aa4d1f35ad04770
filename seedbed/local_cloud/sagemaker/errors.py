"""What can go wrong, in two families.

ApiError        the caller's request is refused, at once
  Invalid         ValidationException
  NotFound        ResourceNotFound
  InUse           ResourceInUse
  LimitExceeded   ResourceLimitExceeded
  Unsupported     an operation or option of SageMaker that this endpoint lacks
JobFailure      an accepted job can't go on; its message becomes the job's FailureReason
"""

# SageMaker's limit for a FailureReason, in characters.
REASON_LENGTH = 1024


class ApiError(Exception):
    """A refusal in SageMaker's own terms: an error code, and one sentence for a person."""

    code = "ValidationException"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(ApiError):
    """The request breaks a rule of the service model or of the operation."""


class NotFound(ApiError):
    """No such resource. Training and processing jobs answer Invalid instead, as AWS does."""

    code = "ResourceNotFound"


class InUse(ApiError):
    """The name is taken, without regard to case."""

    code = "ResourceInUse"


class Unsupported(ApiError):
    """SageMaker knows it, this endpoint does not."""

    code = "UnsupportedOperation"


class JobFailure(Exception):
    """Ends a job as Failed; SageMaker prefixes the reason with ClientError, AlgorithmError or InternalServerError."""


class LimitExceeded(ApiError):
    """More than an account may have, as AWS's quotas set it."""

    code = "ResourceLimitExceeded"
