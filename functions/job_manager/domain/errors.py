"""The errors of the job manager; each one's text is a sentence for people.

JobManagerError
├── MalformedEvent   an event that is not in the format its source documents
├── MalformedOutput  a job's output that is not in the format of docs/contracts.md
├── NotFound         there is no such run, model or object
├── WrongRequest     a request to the API that can't be understood
├── Conflict         another function moved the run first; read it again
├── RunRefused       a dataset that can't be trained on, ranges that can't be searched, or a run that exceeds a budget
├── NameTaken        a job of this name is another stack's: it works on another bucket
├── JobRejected      SageMaker will never accept this job, so retrying is useless
└── JobDelayed       SageMaker does not accept this job now, and may later
"""

from enum import StrEnum


class JobManagerError(Exception):
    """Any error of the job manager."""


class MalformedEvent(JobManagerError):
    """An event that is not in the format its source documents."""


class MalformedOutput(JobManagerError):
    """A job's output that is not in the format of docs/contracts.md."""


class NotFound(JobManagerError):
    """There is no such run, model or object."""


class WrongRequest(JobManagerError):
    """A request to the API that can't be understood."""


class Conflict(JobManagerError):
    """Another function moved the run first; read it again."""


class RunRefused(JobManagerError):
    """A dataset that can't be trained on, ranges that can't be searched, or a run that exceeds a budget."""


class NameTaken(JobManagerError):
    """A job of this name is another stack's: it works on another bucket."""


class Cause(StrEnum):
    """Why SageMaker does not accept a job."""

    QUOTA = "quota"
    CAPACITY = "capacity"
    PERMISSION = "permission"
    THROTTLING = "throttling"
    SERVICE = "service"


class JobRejected(JobManagerError):
    """SageMaker will never accept this job, however often. Another instance type may help if it has a cause."""

    def __init__(self, sentence: str, cause: Cause | None = None) -> None:
        super().__init__(sentence)
        self.cause = cause


class JobDelayed(JobManagerError):
    """SageMaker does not accept this job now, and may later."""

    def __init__(self, cause: Cause, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause
