"""What can go wrong, as a person would say it.

JobManagerError
├── MalformedEvent   an event that is not of the form its source documents
├── MalformedOutput  what a job wrote is not of the form of docs/contracts.md
├── NotFound         no such run, model or object
├── Conflict         somebody else moved the run first; reading again tells how
├── RunRefused       a dataset that can't be trained on, or a run above the budget
└── JobRejected      SageMaker will never accept this job: asking again is no use
"""


class JobManagerError(Exception):
    """Any error of the job manager; its text is a sentence for people."""


class MalformedEvent(JobManagerError):
    """An event that is not of the form its source documents."""


class MalformedOutput(JobManagerError):
    """What a job wrote is not of the form of docs/contracts.md."""


class NotFound(JobManagerError):
    """No such run, model or object."""


class Conflict(JobManagerError):
    """Somebody else moved the run first; reading again tells how."""


class RunRefused(JobManagerError):
    """A dataset that can't be trained on, or a run above the budget."""


class JobRejected(JobManagerError):
    """SageMaker will never accept this job: asking again is no use."""
