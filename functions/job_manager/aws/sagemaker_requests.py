"""The requests that create SageMaker's jobs."""

from .processing_requests import ProcessingRequests
from .training_requests import TrainingRequests


class JobRequests(ProcessingRequests, TrainingRequests):
    """Requests for one bucket's jobs under one role."""
